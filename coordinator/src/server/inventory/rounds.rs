//! The duty: each cluster again and again, the restless ones often, never more than a few at once.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use proto::{ClusterName, Failure};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::pace::{jittered, pause};
use crate::server::Core;
use crate::server::halts::FleetHalt;
use crate::store::Lead;

/// How often it is looked up which clusters are in flight, and whether the fleet is halted.
const STANDING: Duration = Duration::from_secs(2);

/// Looks at the whole fleet, again and again.
pub(in crate::server) async fn duty(core: Arc<Core>, _: Arc<Lead>, over: CancellationToken) {
    let mut rounds = Rounds::new(core);
    let mut standing = interval(STANDING);
    standing.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.begin_looks();
        let due = rounds.next_due();
        tokio::select! {
            () = over.cancelled() => return,
            _ = standing.tick() => {
                rounds.learn_standing().await;
                rounds.core.measure_inventory();
            }
            Some(ended) = rounds.looks.join_next_with_id() => rounds.ended(ended),
            () = sleep_until(due) => {}
        }
    }
}

/// What all looks must know.
#[derive(Debug)]
struct Standing {
    /// Clusters in flight, and those that a rollout waits to see.
    restless: BTreeSet<ClusterName>,
    halt: FleetHalt,
}

struct Rounds {
    core: Arc<Core>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    looks: JoinSet<u32>,
    /// Which cluster each look is at.
    at: HashMap<Id, usize>,
    standing: Option<Arc<Standing>>,
}

impl Rounds {
    fn new(core: Arc<Core>) -> Self {
        let now = Instant::now();
        let due = (0..core.config.clusters.len()).map(|index| Reverse((now, index))).collect();
        Self { core, due, looks: JoinSet::new(), at: HashMap::new(), standing: None }
    }

    fn begin_looks(&mut self) {
        let now = Instant::now();
        while self.looks.len() < self.core.config.inventory.at_once {
            let Some(Reverse((due, index))) = self.due.peek().copied() else { return };
            if due > now {
                return;
            }
            self.due.pop();
            let (core, standing) = (Arc::clone(&self.core), self.standing.clone());
            let look = self.looks.spawn(async move {
                let Some(cluster) = core.config.clusters.get(index) else { return 0 };
                core.look_at(cluster, standing.as_ref().map(|standing| &standing.halt)).await
            });
            self.at.insert(look.id(), index);
        }
    }

    /// When the next look is due; while as many are at work as may be, whoever ends first decides.
    fn next_due(&self) -> Instant {
        let next = self.due.peek().map(|Reverse((due, _))| *due);
        match next {
            Some(due) if self.looks.len() < self.core.config.inventory.at_once => due,
            Some(_) | None => Instant::now() + STANDING,
        }
    }

    fn ended(&mut self, ended: Result<(Id, u32), JoinError>) {
        let (id, quiet) = match ended {
            Ok((id, quiet)) => (id, quiet),
            Err(error) => {
                tracing::error!(%error, "a look at a cluster was cut off");
                (error.id(), 0)
            }
        };
        let Some(index) = self.at.remove(&id) else { return };
        let config = &self.core.config;
        let restless = self.standing.as_ref().is_some_and(|standing| {
            config.clusters.get(index).is_some_and(|cluster| standing.restless.contains(&cluster.name))
        });
        let quiet = if restless { 0 } else { quiet };
        let pause = jittered(pause(&config.inventory, quiet), rand::random::<f64>());
        self.due.push(Reverse((Instant::now() + pause, index)));
    }

    async fn learn_standing(&mut self) {
        let learnt: Result<Standing, Failure> = async {
            let mut restless = self.core.rollouts.restless();
            restless.extend(self.core.open_runs().await?.into_iter().map(|run| run.cluster));
            Ok(Standing { restless, halt: self.core.fleet_halt().await? })
        }
        .await;
        match learnt {
            Ok(standing) => self.standing = Some(Arc::new(standing)),
            Err(failure) => tracing::warn!(%failure, "the store does not say what is in flight"),
        }
    }
}
