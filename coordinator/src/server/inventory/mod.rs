//! The fleet as it was seen last: a compact row for each cluster, kept fresh in the background by whoever leads.

mod pace;
mod rounds;
mod row;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use proto::wire::Observe;
use proto::{ClusterName, Failure};
use tokio::time::Instant;

pub(super) use rounds::duty;
pub(in crate::server) use row::InventoryRow;

use super::Core;
use super::halts::FleetHalt;
use crate::config::ClusterConfig;
use crate::documents::{Document, InventoryDocument, UnassignedRow};
use crate::metrics::{AgentCounts, ClusterCounts};
use crate::rollout::partners;
use crate::server::roster::UnassignedAgent;
use crate::snapshot::Snapshot;

/// How often a cluster is asked with whom it replicates: that changes seldom, and costs its nodes more than a look.
const PARTNERS: Duration = Duration::from_secs(600);

/// What was seen of each cluster.
#[derive(Debug, Default)]
pub(in crate::server) struct Inventory(Mutex<BTreeMap<ClusterName, Kept>>);

#[derive(Debug)]
struct Kept {
    row: InventoryRow,
    /// How many looks in a row have shown the same, and nothing that needs watching.
    quiet: u32,
    partners_at: Option<Instant>,
}

impl Inventory {
    /// A cluster as it was seen last; `None` if it was not seen yet.
    pub(in crate::server) fn seen(&self, cluster: &ClusterName) -> Option<InventoryRow> {
        self.with(|kept| kept.get(cluster).map(|kept| kept.row.clone()))
    }

    /// How many clusters and agents were seen how, of a fleet.
    fn counts(&self, fleet: &[ClusterConfig]) -> (ClusterCounts, AgentCounts) {
        let (mut clusters, mut agents) = (ClusterCounts::default(), AgentCounts::default());
        self.with(|kept| {
            for cluster in fleet {
                match kept.get(&cluster.name).map(|kept| &kept.row) {
                    None => clusters.unknown += 1,
                    Some(row) => {
                        *(if row.healthy { &mut clusters.healthy } else { &mut clusters.unhealthy }) += 1;
                        agents.reachable += row.reachable;
                        agents.unreachable += row.nodes.saturating_sub(row.reachable);
                    }
                }
            }
        });
        (clusters, agents)
    }

    fn wants_partners(&self, cluster: &ClusterName) -> bool {
        let asked = self.with(|kept| kept.get(cluster).and_then(|kept| kept.partners_at));
        asked.is_none_or(|asked| asked.elapsed() >= PARTNERS)
    }

    /// Keeps what was seen, and says how many looks in a row have shown nothing new.
    fn keep(&self, cluster: &ClusterName, snapshot: &Snapshot, with_partners: bool) -> u32 {
        let mut row = InventoryRow::of(snapshot);
        let told = with_partners && row.reachable > 0;
        self.with(|all| {
            let before = all.remove(cluster);
            if told {
                row.partners = Some(partners::sight(snapshot));
            } else if let Some(before) = &before {
                row.partners.clone_from(&before.row.partners);
            }
            let same = before.as_ref().is_some_and(|before| row.healthy && before.row.says_the_same(&row));
            let quiet = before.as_ref().filter(|_| same).map_or(0, |before| before.quiet + 1);
            let partners_at = told.then(Instant::now).or(before.and_then(|before| before.partners_at));
            all.insert(cluster.clone(), Kept { row, quiet, partners_at });
            quiet
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<ClusterName, Kept>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Core {
    /// The inventory. A coordinator inside a command looks now; one that serves tells what its duty has seen.
    pub(super) async fn inventory_document(&self) -> Result<InventoryDocument, Failure> {
        let halt = self.fleet_halt().await?;
        if !self.serves() {
            let (all, halt) = (stream::iter(&self.config.clusters), &halt);
            all.for_each_concurrent(self.config.inventory.at_once, |cluster| async move {
                self.look_at(cluster, Some(halt)).await;
            })
            .await;
        }
        self.freshen_roster().await?;
        let open = self.open_runs().await?;
        let now = self.now();
        let row = |cluster: &ClusterConfig| {
            let run = open.iter().rev().find(|run| run.cluster == cluster.name).map(|run| run.id.to_string());
            let agents = self.members(cluster).len();
            row::document(cluster, agents, self.inventory.seen(&cluster.name), run, now)
        };
        Ok(InventoryDocument {
            schema: InventoryDocument::SCHEMA.to_owned(),
            at: now,
            fleet_halt: halt.row(),
            clusters: self.config.clusters.iter().map(row).collect(),
            unassigned: self.unassigned().into_iter().map(unassigned_row).collect(),
        })
    }

    /// Tells what was seen to whoever scrapes.
    fn measure_inventory(&self) {
        let (clusters, agents) = self.inventory.counts(&self.config.clusters);
        let unassigned = self.unassigned().len();
        self.metrics.clusters(clusters);
        self.metrics.agents(AgentCounts { unassigned, ..agents });
    }

    /// Looks at one cluster, and tells those of its agents of the fleet's halt that do not know how it stands.
    pub(in crate::server) async fn look_at(&self, cluster: &ClusterConfig, halt: Option<&FleetHalt>) -> u32 {
        let with_partners = self.inventory.wants_partners(&cluster.name);
        let facts = if with_partners { partners::FACTS.to_vec() } else { Vec::new() };
        let snapshot = self.observe(cluster, Observe { facts, ..Observe::default() }).await;
        if let Some(halt) = halt.filter(|halt| halt.number > 0) {
            for (agent, _) in snapshot.answered().filter(|(_, facts)| !halt.is_known_to(facts)) {
                if let Err(failure) = self.tell_agent(agent, &halt.wire()).await {
                    tracing::debug!(agent, %failure, "the agent could not be told of the fleet's halt");
                }
            }
        }
        self.inventory.keep(&cluster.name, &snapshot, with_partners)
    }
}

fn unassigned_row(agent: UnassignedAgent) -> UnassignedRow {
    let UnassignedAgent { name, version, connected, since, reason, .. } = agent;
    UnassignedRow { agent: name.to_string(), version, connected, first_seen: since, reason }
}
