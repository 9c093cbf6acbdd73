//! Telling the agents of clusters to refuse installs in a rollout's name, or no longer to.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use proto::wire::SetHalt;
use proto::{ClusterName, Halt, RolloutName};

use super::engine::{Doing, Engine, Worked};
use super::seen::asker;
use crate::rollout::Rollout;
use crate::server::Core;

/// What the agents of a cluster were told.
pub(super) struct Told {
    pub(super) rollout: RolloutName,
    cluster: ClusterName,
    on: bool,
    at: Timestamp,
    /// Whether all of them have heard it.
    heard: bool,
}

impl Told {
    /// Those that were not all reached are told again at the next look.
    pub(super) fn note(&self, doing: &mut Doing) {
        doing.telling.remove(&self.cluster);
        if self.heard {
            doing.told.insert(self.cluster.clone(), (self.on, self.at));
        }
    }
}

impl Engine {
    /// Tells agents in the background.
    pub(super) fn hold(&mut self, rollout: &Rollout, clusters: BTreeSet<ClusterName>, on: bool) {
        let by = asker(&rollout.name);
        let why = "more clusters failed than the rollout's budget allows".to_owned();
        let halt = on.then(|| Halt { by, why, at: self.core.now() });
        let request = SetHalt { source: rollout.name.to_string(), number: rollout.seq, halt };
        for cluster in clusters {
            let doing = self.doing.entry(rollout.name.clone()).or_default();
            if !doing.telling.insert(cluster.clone()) {
                continue;
            }
            let (core, request, rollout) = (Arc::clone(&self.core), request.clone(), rollout.name.clone());
            self.work.spawn(async move {
                let heard = core.tell_cluster(&cluster, &request).await;
                Worked::Told(Told { rollout, cluster, on, at: core.now(), heard })
            });
        }
    }
}

impl Core {
    /// Whether all agents of a cluster have heard it.
    async fn tell_cluster(&self, cluster: &ClusterName, request: &SetHalt) -> bool {
        let Some(cluster) = self.config.clusters.iter().find(|configured| configured.name == *cluster) else {
            return true;
        };
        let members = self.members(cluster);
        let told = members.iter().map(|agent| async move {
            let told = self.world.agents.set_halt(agent, request).await;
            told.inspect_err(|failure| tracing::warn!(agent, %failure, "the agent was not told to hold"))
                .is_ok()
        });
        join_all(told).await.into_iter().all(|heard| heard)
    }
}
