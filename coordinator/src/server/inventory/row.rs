//! What is kept of a look at a cluster: a few words, never the snapshot.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::ClusterConfig;
use crate::documents::InventoryClusterRow;
use crate::rollout::PartnerSight;
use crate::server::look;
use crate::snapshot::Snapshot;

/// How many problems of a cluster are kept; how many more there are is said.
const PROBLEMS: usize = 5;

/// A cluster as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct InventoryRow {
    /// When.
    pub(in crate::server) at: Timestamp,
    /// Whether every node was seen and everything was OK.
    pub(in crate::server) healthy: bool,
    /// What was not OK, the first few.
    pub(in crate::server) problems: Vec<String>,
    /// The version, if all nodes were at the same one.
    pub(in crate::server) version: Option<String>,
    /// The master, if all agreed on one.
    pub(in crate::server) master: Option<u32>,
    /// How many agents it has.
    pub(in crate::server) nodes: usize,
    /// How many of them answered.
    pub(in crate::server) reachable: usize,
    /// How many of its nodes are kept from installing, by whom: `fleet`, or names of rollouts.
    pub(in crate::server) halts: BTreeMap<String, usize>,
    /// With whom it replicates, as it says; `None` if it was not asked yet.
    pub(in crate::server) partners: Option<PartnerSight>,
}

impl InventoryRow {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let seen = look::row(snapshot, None);
        let mut halts = BTreeMap::new();
        for halt in snapshot.answered().flat_map(|(_, facts)| &facts.halts) {
            *halts.entry(halt.source.clone()).or_default() += 1;
        }
        Self {
            at: snapshot.at,
            healthy: seen.healthy,
            problems: shortened(seen.problems),
            version: seen.version,
            master: seen.master,
            nodes: snapshot.agents.len(),
            reachable: snapshot.answered().count(),
            halts,
            partners: None,
        }
    }

    /// Whether nothing has changed but the time.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }
}

fn shortened(mut problems: Vec<String>) -> Vec<String> {
    let more = problems.len().saturating_sub(PROBLEMS);
    problems.truncate(PROBLEMS);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    problems
}

/// The row of a document; of a cluster that was not seen yet nothing is claimed.
pub(super) fn document(
    cluster: &ClusterConfig,
    agents: usize,
    seen: Option<InventoryRow>,
    run: Option<String>,
    now: Timestamp,
) -> InventoryClusterRow {
    let name = cluster.name.to_string();
    let Some(row) = seen else {
        return InventoryClusterRow { name, nodes: agents, run, ..InventoryClusterRow::default() };
    };
    InventoryClusterRow {
        name,
        seen_at: Some(row.at),
        age_seconds: u64::try_from(now.duration_since(row.at).as_secs()).ok(),
        healthy: Some(row.healthy),
        problems: row.problems,
        version: row.version,
        master: row.master,
        nodes: row.nodes,
        reachable: row.reachable,
        run,
        halted: !row.halts.is_empty(),
        partners: row.partners.into_iter().flat_map(|sight| sight.with).collect(),
    }
}
