//! Runs as rollouts see them, read as far as their journals are written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proto::{ClusterName, Failure, RunId};
use tokio::time::Instant;

use crate::rollout::{Measured, RunStands, p95};
use crate::run::{Event, Phase, Record, Request, Run, RunEnd, next, replay, turn_durations};
use crate::store::Store;

/// How often it is worked out anew how long turns last.
const MEASURED: Duration = Duration::from_secs(60);

/// What is kept of a run.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) cluster: ClusterName,
    pub(super) stands: RunStands,
    /// The number of its last event.
    pub(super) events: u64,
    pub(super) pausing: bool,
    pub(super) aborting: bool,
    /// Who asked for the latest pause, as long as nobody has asked to go on since.
    pub(super) paused_by: Option<String>,
    /// The run itself, as long as it is not over.
    run: Option<Run>,
    /// The events that say how long turns lasted.
    timed: Vec<Record>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Runs {
    kept: BTreeMap<RunId, Kept>,
    measured: Option<(Instant, Arc<Measured>)>,
}

impl Kept {
    pub(super) fn is_open(&self) -> bool {
        match self.stands {
            RunStands::AtWork | RunStands::OutsideWindow | RunStands::Paused | RunStands::Halted(_) => true,
            RunStands::Done | RunStands::Aborted | RunStands::Blocked(_) => false,
        }
    }

    fn take(before: Option<Self>, id: &RunId, records: Vec<Record>) -> Result<Self, Failure> {
        let (run, mut timed, mut paused_by) = match before {
            Some(Self { run: Some(mut run), timed, paused_by, .. }) => {
                for record in &records {
                    run = next(run, record)?;
                }
                (run, timed, paused_by)
            }
            _ => (replay(id, &records)?, Vec::new(), None),
        };
        let events = records.last().map_or(0, |record| record.seq);
        for record in records {
            if let Event::Requested { request, by } = &record.event {
                paused_by = (*request == Request::Pause).then(|| by.clone());
            }
            if matches!(record.event, Event::ForeignChange { .. }) {
                paused_by = None;
            }
            if says_how_long(&record.event) {
                timed.push(record);
            }
        }
        let stands = stands(&run);
        let (cluster, pausing, aborting) = (run.plan.cluster.clone(), run.pause_wanted, run.abort_wanted);
        let run = (!matches!(run.phase, Phase::Ended(_))).then_some(run);
        Ok(Self { cluster, stands, events, pausing, aborting, paused_by, run, timed })
    }

    /// A run whose journal cannot be read: nobody knows what it does, so it counts as in flight.
    fn unreadable(cluster: ClusterName, events: u64, failure: Failure) -> Self {
        let stands = RunStands::Halted(failure);
        let (run, timed) = (None, Vec::new());
        Self { cluster, stands, events, pausing: false, aborting: false, paused_by: None, run, timed }
    }
}

/// The events that [`turn_durations`] looks at.
fn says_how_long(event: &Event) -> bool {
    matches!(
        event,
        Event::GatePassed { .. }
            | Event::Witnessed { .. }
            | Event::Driving { .. }
            | Event::Requested { .. }
            | Event::Halted(_)
    )
}

fn stands(run: &Run) -> RunStands {
    match &run.phase {
        Phase::Active => RunStands::AtWork,
        Phase::Paused if run.not_admitted.is_some() => RunStands::OutsideWindow,
        Phase::Paused => RunStands::Paused,
        Phase::Halted(halt) => RunStands::Halted(halt.failure.clone()),
        Phase::Ended(RunEnd::Done) => RunStands::Done,
        Phase::Ended(RunEnd::Aborted) => RunStands::Aborted,
        Phase::Ended(RunEnd::Blocked(failure)) => RunStands::Blocked(failure.clone()),
    }
}

impl Runs {
    /// Reads what is new.
    pub(super) async fn refresh(&mut self, store: &dyn Store) -> Result<(), Failure> {
        let ends = store.ends().await?;
        if ends.len() < self.kept.len() {
            let there: BTreeSet<&RunId> = ends.iter().map(|(id, _)| id).collect();
            self.kept.retain(|id, _| there.contains(id));
        }
        for (id, end) in ends {
            if self.kept.get(&id).is_none_or(|kept| kept.events != end) {
                self.read(store, &id, end).await?;
            }
        }
        Ok(())
    }

    async fn read(&mut self, store: &dyn Store, id: &RunId, end: u64) -> Result<(), Failure> {
        let before = self.kept.remove(id).filter(|kept| kept.run.is_some());
        let from = before.as_ref().map_or(1, |kept| kept.events + 1);
        let records = store.journal(id, from).await.map_err(Failure::from);
        let kept = match records.and_then(|records| Kept::take(before, id, records)) {
            Ok(kept) => kept,
            Err(failure) => {
                tracing::error!(run = %id, %failure, "the run's journal cannot be read");
                let listed = store.runs().await?.into_iter().find(|listing| listing.id == *id);
                let Some(listing) = listed else { return Ok(()) };
                Kept::unreadable(listing.cluster, end, failure)
            }
        };
        self.kept.insert(id.clone(), kept);
        Ok(())
    }

    pub(super) fn get(&self, run: &RunId) -> Option<&Kept> {
        self.kept.get(run)
    }

    /// Clusters with a run that is not over.
    pub(super) fn in_flight(&self) -> BTreeMap<ClusterName, RunId> {
        let open = self.kept.iter().filter(|(_, kept)| kept.is_open());
        open.map(|(id, kept)| (kept.cluster.clone(), id.clone())).collect()
    }

    /// How long turns last; worked out anew every minute.
    pub(super) fn measured(&mut self) -> Arc<Measured> {
        if let Some((at, measured)) = &self.measured
            && at.elapsed() < MEASURED
        {
            return Arc::clone(measured);
        }
        let measured = Arc::new(self.measure());
        self.measured = Some((Instant::now(), Arc::clone(&measured)));
        measured
    }

    fn measure(&self) -> Measured {
        let mut of_cluster: BTreeMap<&ClusterName, Vec<Duration>> = BTreeMap::new();
        for kept in self.kept.values() {
            of_cluster.entry(&kept.cluster).or_default().extend(turn_durations(&kept.timed));
        }
        let all: Vec<Duration> = of_cluster.values().flatten().copied().collect();
        let of_cluster =
            of_cluster.into_iter().filter_map(|(cluster, turns)| Some((cluster.clone(), p95(turns)?)));
        Measured { of_cluster: of_cluster.collect(), of_fleet: p95(all) }
    }
}
