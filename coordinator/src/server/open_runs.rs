//! Which runs are not over: asked every few seconds, so what has not changed since is not read again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use proto::{ClusterName, Failure, RunId};

use super::Core;
use crate::run::{Phase, replay};

/// A run that is not over.
#[derive(Clone, Debug)]
pub(super) struct OpenRun {
    /// Its id.
    pub(super) id: RunId,
    /// Its cluster.
    pub(super) cluster: ClusterName,
    /// Where it stands.
    pub(super) phase: Phase,
    /// Whether it was asked to pause or to end, and is about to.
    pub(super) stopping: bool,
}

/// What is known of each run, with the number of the event up to which it was read.
#[derive(Debug, Default)]
pub(super) struct OpenRuns(Mutex<HashMap<RunId, (u64, Option<OpenRun>)>>);

impl OpenRuns {
    fn known(&self, run: &RunId, seq: u64) -> Option<Option<OpenRun>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(run).filter(|(read, _)| *read == seq).map(|(_, run)| run.clone())
    }

    fn keep(&self, seen: HashMap<RunId, (u64, Option<OpenRun>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

impl Core {
    /// All runs that are not over, oldest first. One whose journal cannot be read is told in the log, once.
    pub(super) async fn open_runs(&self) -> Result<Vec<OpenRun>, Failure> {
        let listed = self.store().runs().await?;
        let clusters: HashMap<RunId, ClusterName> =
            listed.into_iter().map(|listing| (listing.id, listing.cluster)).collect();
        let (mut seen, mut open) = (HashMap::new(), Vec::new());
        for (id, seq) in self.store().ends().await? {
            let Some(cluster) = clusters.get(&id) else { continue };
            let run = match self.open_runs.known(&id, seq) {
                Some(known) => known,
                None => self.read_open_run(&id, cluster).await,
            };
            open.extend(run.clone());
            seen.insert(id, (seq, run));
        }
        self.open_runs.keep(seen);
        Ok(open)
    }

    async fn read_open_run(&self, id: &RunId, cluster: &ClusterName) -> Option<OpenRun> {
        let records = self.store().journal(id, 1).await.map_err(Failure::from);
        let run = match records.and_then(|records| Ok(replay(id, &records)?)) {
            Ok(run) => run,
            Err(failure) => {
                tracing::error!(run = %id, %failure, "the run's journal cannot be read");
                return None;
            }
        };
        let stopping = run.pause_wanted || run.abort_wanted;
        let open = OpenRun { id: id.clone(), cluster: cluster.clone(), phase: run.phase, stopping };
        (!matches!(open.phase, Phase::Ended(_))).then_some(open)
    }
}
