//! What a rollout sees of the world: journals of runs, clusters as they were seen last, and what is under way here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto::{ClusterName, Failure, RolloutName, RunId};

use super::books::Book;
use super::engine::Doing;
use super::runs::{Kept, Runs};
use crate::rollout::{Health, Measured, Partners, Rollout, RunSeen, RunStands, Seen, partners};
use crate::run::Request;
use crate::server::Core;
use crate::server::halts::asked;

/// What is the same for all rollouts at one look.
#[derive(Debug)]
pub(super) struct Fleet {
    in_flight: BTreeMap<ClusterName, RunId>,
    turns: Arc<Measured>,
    halt: Option<String>,
}

/// Who asks runs in a rollout's name.
pub(super) fn asker(rollout: &RolloutName) -> String {
    format!("rollout {rollout}")
}

impl Core {
    /// Reads what is new of all runs.
    pub(super) async fn look_at_fleet(&self) -> Result<Fleet, Failure> {
        let halt = self.fleet_halt().await?.why();
        let mut runs = self.rollouts.runs.lock().await;
        runs.refresh(self.store()).await?;
        Ok(Fleet { in_flight: runs.in_flight(), turns: runs.measured(), halt })
    }

    /// What a rollout sees now.
    pub(super) async fn seen_by(&self, book: &Book, doing: &Doing, fleet: &Fleet) -> Seen {
        let rollout = &book.rollout;
        let runs = self.rollouts.runs.lock().await;
        Seen {
            runs: runs_seen(book, doing, &runs),
            in_flight: fleet.in_flight.clone(),
            health: self.health(rollout),
            partners: self.partners_of(rollout, &fleet.in_flight),
            turns: (*fleet.turns).clone(),
            fleet_halt: fleet.halt.clone(),
            held: self.held(rollout, doing),
        }
    }

    /// Clusters that can be looked at. Others of a rollout were taken out of the configuration since.
    fn configured(&self) -> BTreeSet<&ClusterName> {
        self.config.clusters.iter().map(|cluster| &cluster.name).collect()
    }

    fn health(&self, rollout: &Rollout) -> BTreeMap<ClusterName, Health> {
        let configured = self.configured();
        let gone = || vec!["it is not in the configuration any more: nobody can look at it".to_owned()];
        let seen = rollout.parts().filter_map(|(_, cluster, _)| {
            let health = match self.sighting(cluster) {
                Some(sighting) => Health { at: sighting.at, problems: sighting.problems },
                None if configured.contains(cluster) => return None,
                None => Health { at: self.now(), problems: gone() },
            };
            Some((cluster.clone(), health))
        });
        seen.collect()
    }

    /// Which of the rollout's clusters, and of those in flight, must not be in flight together, as far as they were seen.
    pub(super) fn partners_of(
        &self,
        rollout: &Rollout,
        in_flight: &BTreeMap<ClusterName, RunId>,
    ) -> Partners {
        let of_rollout = rollout.parts().map(|(_, cluster, _)| cluster);
        let all: BTreeSet<&ClusterName> = of_rollout.chain(in_flight.keys()).collect();
        let mut sights = BTreeMap::new();
        let (mut unseen, configured) = (BTreeSet::new(), self.configured());
        for cluster in all {
            match self.sighting(cluster) {
                Some(sighting) => drop(sights.insert(cluster.clone(), sighting.partners)),
                // Nobody will ever see it: a start of it fails. What it has in flight may be anybody's partner.
                None if !configured.contains(cluster) && !in_flight.contains_key(cluster) => {}
                None => drop(unseen.insert(cluster.clone())),
            }
        }
        Partners { unseen, ..partners(rollout.spec.partners.as_deref(), &sights) }
    }

    /// Clusters whose agents refuse installs because the rollout told them to. A look that is older than what they were
    /// told says nothing.
    fn held(&self, rollout: &Rollout, doing: &Doing) -> BTreeSet<ClusterName> {
        let source = rollout.name.to_string();
        let held = |cluster: &ClusterName| {
            let told = doing.told.get(cluster);
            let Some(sighting) = self.sighting(cluster) else { return told.is_some_and(|(on, _)| *on) };
            let holding = sighting.halts.get(&source).copied().unwrap_or_default();
            match told {
                Some((on, at)) if sighting.at <= *at => *on,
                Some((true, _)) => holding == sighting.reachable,
                Some((false, _)) | None => holding > 0,
            }
        };
        rollout.parts().map(|(_, cluster, _)| cluster).filter(|cluster| held(cluster)).cloned().collect()
    }
}

fn runs_seen(book: &Book, doing: &Doing, runs: &Runs) -> BTreeMap<RunId, RunSeen> {
    let by = asker(&book.rollout.name);
    let seen = book.runs.iter().filter_map(|(id, cluster)| {
        let asked = doing.asking.get(id);
        let seen = match runs.get(id) {
            Some(kept) => run_seen(kept, asked, &by),
            None if doing.starting.contains_key(id) => being_planned(cluster),
            None => return None,
        };
        Some((id.clone(), seen))
    });
    seen.collect()
}

fn run_seen(kept: &Kept, request: Option<&Request>, by: &str) -> RunSeen {
    let asks = |wanted: &[Request]| request.is_some_and(|request| wanted.contains(request));
    RunSeen {
        cluster: kept.cluster.clone(),
        stands: kept.stands.clone(),
        events: kept.events,
        pausing: kept.pausing || asks(&[Request::Pause]),
        aborting: kept.aborting || asks(&[Request::Abort]),
        resuming: asks(&[Request::Resume, Request::Retry { node: None }]),
        our_pause: kept.stands == RunStands::Paused
            && kept.paused_by.as_deref().is_some_and(|paused_by| paused_by == by || asked(paused_by)),
    }
}

fn being_planned(cluster: &ClusterName) -> RunSeen {
    RunSeen {
        cluster: cluster.clone(),
        stands: RunStands::AtWork,
        events: 0,
        pausing: false,
        aborting: false,
        resuming: false,
        our_pause: false,
    }
}
