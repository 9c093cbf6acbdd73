//! Metrics that no event sets: how things stand is looked at anew every few seconds.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proto::transport::Security;
use proto::{ClusterName, Failure, RolloutName, RunId};
use tokio::net::TcpListener;

use super::Core;
use crate::documents::{RunState, RunView};
use crate::failures::chain;
use crate::metrics;
use crate::notify::Standing;
use crate::run::{Phase, replay};
use crate::store::Shelf;

/// Prometheus seldom asks more often.
const LOOK: Duration = Duration::from_secs(10);

/// How a run stood when its journal was last read. While its last event is the same, so is this.
#[derive(Debug)]
enum Stands {
    /// It does not change by itself.
    Still(RunState),
    /// It is running if somebody drives the cluster, else interrupted.
    AtWork(ClusterName),
}

/// What was seen of the store.
#[derive(Debug, Default)]
pub(super) struct Sight {
    runs: HashMap<RunId, (u64, Stands)>,
    rollouts: BTreeMap<RolloutName, Standing>,
}

/// Binds the listener for metrics.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = "correct `listen` of [metrics] in ratchet.toml, or stop what listens there";
        Failure::operator("configuration", format!("{address} cannot be listened on for metrics"), remedy)
            .because(chain(&error))
    })
}

impl Core {
    /// Tells metrics on a listener, and keeps them fresh, until the future is dropped.
    pub(super) async fn tell_metrics(&self, listener: TcpListener) {
        let telling = metrics::serve(listener, Arc::clone(&self.metrics));
        let (told, ()) = tokio::join!(telling, self.keep_measuring());
        if let Err(error) = told {
            tracing::error!(error = chain(&error), "metrics are not told any more");
        }
    }

    async fn keep_measuring(&self) {
        let mut sight = Sight::default();
        loop {
            if let Err(failure) = self.measure(&mut sight).await {
                tracing::warn!(%failure, "metrics are not fresh");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks once.
    pub(super) async fn measure(&self, sight: &mut Sight) -> Result<(), Failure> {
        self.measure_certificates().await;
        self.measure_runs(sight).await?;
        self.measure_rollouts(sight).await?;
        self.metrics.notices_pending(self.store().shelved(Shelf::Notice).await?.len());
        Ok(())
    }

    async fn measure_rollouts(&self, sight: &mut Sight) -> Result<(), Failure> {
        let mut rollouts = Vec::new();
        for name in self.store().rollouts().await? {
            let mut standing = sight.rollouts.remove(&name).unwrap_or_default();
            let next = standing.last.map_or(1, |(seq, _)| seq + 1);
            match self.store().rollout_journal(&name, next).await {
                Ok(records) => records.iter().for_each(|record| standing.take(record)),
                Err(error) => {
                    tracing::warn!(rollout = %name, %error, "how it stands cannot be told");
                    continue;
                }
            }
            rollouts.push((name, standing));
        }
        self.metrics.rollouts(&rollouts);
        sight.rollouts = rollouts.into_iter().collect();
        Ok(())
    }

    async fn measure_certificates(&self) {
        let Security::Tls(tls) = &self.config.security else { return };
        let tls = tls.clone();
        let Ok(expiries) = tokio::task::spawn_blocking(move || tls.expiries()).await else { return };
        for (file, expiry) in expiries {
            if let Err(reason) = &expiry {
                tracing::warn!(file, reason, "when the certificate expires cannot be told");
            }
            self.metrics.certificate(file, expiry.ok());
        }
    }

    async fn measure_runs(&self, sight: &mut Sight) -> Result<(), Failure> {
        let ends = self.store().ends().await?;
        let (mut runs, mut states) = (HashMap::new(), Vec::new());
        for (run, end) in ends {
            let stands = match sight.runs.remove(&run) {
                Some((seen, stands)) if seen == end => stands,
                _ => match self.stands(&run, end).await {
                    Ok(stands) => stands,
                    Err(failure) => {
                        tracing::warn!(%run, %failure, "how it stands cannot be told");
                        continue;
                    }
                },
            };
            states.push(match &stands {
                Stands::Still(state) => *state,
                Stands::AtWork(cluster) if self.store().driver(cluster).await?.is_some() => RunState::Running,
                Stands::AtWork(_) => RunState::Interrupted,
            });
            runs.insert(run, (end, stands));
        }
        sight.runs = runs;
        self.metrics.runs(&states);
        Ok(())
    }

    async fn stands(&self, run: &RunId, end: u64) -> Result<Stands, Failure> {
        // Most runs are over, and the last event says so.
        if let [last] = &self.store().journal(run, end).await?[..]
            && let crate::run::Event::Ended(ended) = &last.event
        {
            return Ok(Stands::Still(RunState::of_end(ended)));
        }
        let run = replay(run, &self.store().journal(run, 1).await?)?;
        Ok(match run.phase {
            Phase::Active => Stands::AtWork(run.plan.cluster.clone()),
            Phase::Paused | Phase::Halted(_) | Phase::Ended(_) => {
                Stands::Still(RunView { run: &run, progress: &[], driven: false }.state())
            }
        })
    }
}
