//! `rladmin info`: of the cluster, of a node, of databases.

use agent::parse::{database_info, info, node_info};
use proto::{NodeUid, Setting};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "Cluster configuration:", "Command Output: node:1", "db:1 [db1]:", "db:2 [", "node:1", ": ", "    ", "upgrade_mode", "upgrade mode",
    "enabled", "disabled", "cluster name", "maxclients: 10000", "(database)", "600", "ERROR: ", "replica_ha_grace_period",
    "parallel_shards_upgrade",
];
const CLUSTER: &str = "Cluster configuration:\n   repl_diskless: enabled\n   upgrade mode: disabled\n   name: c.local\n   \
    parallel_shards_upgrade: 1\n   slave_ha_grace_period: 600 seconds\n";
const NODE: &str = "Command Output: node:1\n    quorum only: disabled\n    max redis servers: 100\n";
const DATABASE: &str = "db:1 [db1]:\n    maxclients: 10000\n    slave_ha: disabled (database)\n";

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = seeds::texts(&[CLUSTER, NODE, DATABASE]);
    seeds.extend(seeds::samples(&["rladmin-node", "rladmin-cluster"]));
    seeds
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    if let Ok(info) = info::parse(&text) {
        expect::in_proportion(&info, text.len(), 32);
        if info.upgrade_mode().is_ok() {
            assert!(text.contains("pgrade"), "a mode that nobody named");
        }
        let _settings: Vec<_> = Setting::ALL.into_iter().map(|setting| info.setting(setting)).collect();
        let _name = info.cluster_name();
    }
    if let Ok(row) = node_info::parse(&text, NodeUid(1)) {
        expect::in_proportion(&row, text.len(), 32);
        assert!(text.contains("node:1"));
    }
    if let Ok(rows) = database_info::parse(&text, &[1]) {
        expect::in_proportion(&rows, text.len(), 32);
        assert!(!rows.is_empty(), "a database that was expected is told of");
    }
}
