//! Runs that were left in the middle of their work: whoever leads takes them up.

use std::sync::Arc;
use std::time::Duration;

use proto::{ClusterName, Failure, RunId};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Core;
use super::halts::asker;
use super::open_runs::OpenRun;
use crate::run::{Event, Phase, Request};
use crate::store::{Acquire, Lead, StoreError};

/// Between two looks: with the time in which a lease runs out, this is how long a run stands still when its coordinator
/// dies.
const AGAIN: Duration = Duration::from_secs(2);

/// Takes up, again and again, what nobody drives.
pub(in crate::server) async fn duty(core: Arc<Core>, _: Arc<Lead>, over: CancellationToken) {
    loop {
        tokio::select! {
            () = over.cancelled() => return,
            () = async {
                core.go_on_with_interrupted().await;
                sleep(AGAIN).await;
            } => {}
        }
    }
}

impl Core {
    /// Goes on with every run that was left in the middle of its work and that nobody drives. Runs that were paused or
    /// halted wait for a person, as before. While the fleet is halted such a run ends the turn at work, and pauses.
    pub async fn go_on_with_interrupted(&self) {
        let (runs, halted) = match self.interrupted().await {
            Ok(found) => found,
            Err(failure) => return tracing::error!(%failure, "interrupted runs cannot be looked for"),
        };
        for run in runs {
            if let Err(failure) = self.go_on_if_interrupted(&run, halted.as_deref()).await {
                tracing::error!(run = %run.id, %failure, "the interrupted run cannot be gone on with");
            }
        }
    }

    /// Runs that are to be at work, and who has halted the fleet, if somebody has.
    async fn interrupted(&self) -> Result<(Vec<OpenRun>, Option<String>), Failure> {
        let runs = self.open_runs().await?;
        let at_work = runs.into_iter().filter(|run| run.phase == Phase::Active).collect();
        Ok((at_work, self.fleet_halt().await?.halt.map(|halt| halt.by)))
    }

    async fn go_on_if_interrupted(&self, run: &OpenRun, halted_by: Option<&str>) -> Result<(), Failure> {
        if self.drivers.is_stuck(&run.id) && self.serves() {
            return Ok(());
        }
        if self.store().driver(&run.cluster).await?.is_some() {
            return match halted_by {
                Some(by) if !run.stopping => self.pause_for_halt(&run.id, by).await,
                _ => Ok(()),
            };
        }
        let pause = |by: &str| Event::Requested { request: Request::Pause, by: asker(by) };
        self.take_up(&run.cluster, &run.id, halted_by.map(pause).into_iter().collect()).await
    }

    /// Goes on with a run that nobody drives, if it is still to be at work.
    pub(super) async fn take_up(
        &self,
        cluster: &ClusterName,
        run: &RunId,
        first: Vec<Event>,
    ) -> Result<(), Failure> {
        let lease = match self.store().acquire(cluster, &crate::identity::holder(), Acquire::IfFree).await {
            // Somebody was faster.
            Err(StoreError::Held { .. }) => return Ok(()),
            acquired => acquired?,
        };
        // It may have moved on between the two looks.
        if self.load(run).await?.0.phase != Phase::Active {
            return Ok(());
        }
        tracing::info!(%run, %cluster, "going on with an interrupted run");
        self.spawn(lease, run.clone(), first).await.map(drop)
    }
}
