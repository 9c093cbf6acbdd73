//! The product's other lists: actions at work, the master, snapshots, modules, services.

use agent::parse::{master, modules, running_actions, services, snapshot_list};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "No active tasks", "Got ", " tasks:", "node:1", "Node 1", "snapshot", "RUNNING", "STOPPED", "FATAL", "pid 7, uptime 0:01:00",
    "CLUSTER MODULES:", "DATABASE MODULES:", "MODULE", "VERSION", "ID", "DB:ID", "NAME", "STATUS", "ERROR: ", "db:1", "  ",
    "ReJSON", "RediSearch 2", "2.6.9",
];
const SERVICES: &str = "node_wd    RUNNING   pid 7, uptime 0:01:00\ncm_server  STOPPED   Not started\nredis_mgr:a FATAL x\n";

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = seeds::samples(&["rladmin-"]);
    seeds.extend(seeds::texts(&[SERVICES, "No active tasks\n", "Node 1 is the cluster master\n", "before-upgrade\n"]));
    seeds
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let lines = text.lines().count();
    if let Ok(actions) = running_actions::parse(&text) {
        assert!(actions.len() <= lines && !text.trim().is_empty(), "silence is no answer");
        expect::in_proportion(&actions, text.len(), 16);
    }
    if let Ok(snapshots) = snapshot_list::parse(&text) {
        assert!(snapshots.len() <= lines);
    }
    if let Ok(found) = services::parse(&text) {
        assert!(!found.is_empty() && found.len() <= lines);
        expect::in_proportion(&found, text.len(), 32);
    }
    if let Ok(found) = modules::parse(&text) {
        expect::in_proportion(&found, text.len(), 64);
    }
    if let Ok(uid) = master::parse(&text) {
        assert!(text.contains(&uid.0.to_string()));
    }
}
