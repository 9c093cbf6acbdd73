//! Drivers of this coordinator: which are at work, and how those ended that did not leave their run standing still.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::{ClusterName, Epoch, Failure, RunId};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Core;
use crate::documents::head_of;
use crate::failures::{SUPERSEDED, superseded};
use crate::run::{Driving, Event, Run};
use crate::store::{LatestDriver, Lease, Store};

/// What agents answer to a driver whose time is over.
const STALE_EPOCH: &str = "stale-epoch";

/// What became of the latest driver of each run, as far as this coordinator hosted it.
#[derive(Debug, Default)]
pub(super) struct Drivers {
    inner: Mutex<Inner>,
    /// Cancelled when this coordinator leads no more.
    stand_down: Mutex<CancellationToken>,
}

#[derive(Debug, Default)]
struct Inner {
    by_run: HashMap<RunId, Driver>,
    /// Counts failures, so that whoever watches knows which are news.
    failures: u64,
}

#[derive(Debug)]
enum Driver {
    AtWork,
    Failed { number: u64, failure: Failure, told: bool, stuck: bool },
}

/// What a watcher of a run must know of its driver here.
#[derive(Debug)]
pub(super) enum Told {
    /// There is none, or it has left the run standing still.
    Nothing,
    /// It is at work, or has not yet said how it ended.
    AtWork,
    /// It ended otherwise, and this is why.
    Failed(Failure),
}

impl Drivers {
    /// How many drivers have failed so far.
    pub(super) fn failures(&self) -> u64 {
        self.inner(|inner| inner.failures)
    }

    /// What a watcher that knows of so many failures must know. A failure is told to everybody who watched when it
    /// happened, to everybody while nobody drives the run, and once in any case.
    pub(super) fn tell(&self, run: &RunId, known: u64, nobody_drives: bool) -> Told {
        self.inner(|inner| match inner.by_run.get_mut(run) {
            None => Told::Nothing,
            Some(Driver::AtWork) => Told::AtWork,
            Some(Driver::Failed { number, failure, told, .. }) => {
                let tell = *number > known || nobody_drives || !*told;
                *told = true;
                if tell { Told::Failed(failure.clone()) } else { Told::Nothing }
            }
        })
    }

    pub(super) fn begun(&self, run: &RunId) {
        self.inner(|inner| inner.by_run.insert(run.clone(), Driver::AtWork));
    }

    pub(super) fn stands(&self, run: &RunId) {
        self.inner(|inner| inner.by_run.remove(run));
    }

    /// Whether a driver of it is at work here, or has not yet said how it ended.
    pub(super) fn is_at_work(&self, run: &RunId) -> bool {
        self.inner(|inner| matches!(inner.by_run.get(run), Some(Driver::AtWork)))
    }

    /// Whether its driver here failed for a reason that does not pass by itself: then it waits for a person.
    pub(super) fn is_stuck(&self, run: &RunId) -> bool {
        self.inner(|inner| matches!(inner.by_run.get(run), Some(Driver::Failed { stuck: true, .. })))
    }

    /// Stops all drivers where they are, as if the process ended: somebody else takes their runs up.
    pub(super) fn stand_down(&self) {
        let fresh = CancellationToken::new();
        std::mem::replace(&mut *self.token(), fresh).cancel();
    }

    fn token(&self) -> MutexGuard<'_, CancellationToken> {
        self.stand_down.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, run: &RunId, failure: Failure) {
        let passes = failure.id == SUPERSEDED || failure.id.ends_with("unreachable");
        self.ended(run, failure, !passes);
    }

    fn ended(&self, run: &RunId, failure: Failure, stuck: bool) {
        self.inner(|inner| {
            inner.failures += 1;
            let number = inner.failures;
            inner.by_run.insert(run.clone(), Driver::Failed { number, failure, told: false, stuck })
        });
    }

    fn inner<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Core {
    /// Takes a run over, then drives it in the background: whoever asks right afterwards sees it driven. How it ends is
    /// in its journal, or, where the journal could not be written any more, in [`Drivers`].
    pub(super) async fn spawn(
        &self,
        lease: Lease,
        id: RunId,
        first: Vec<Event>,
    ) -> Result<JoinHandle<()>, Failure> {
        let place = Place { run: id.clone(), cluster: lease.cluster.clone(), epoch: lease.epoch };
        // Every line that is logged on behalf of a run says so, at whatever level spans are told.
        let span = tracing::error_span!("run", run = %id, cluster = %lease.cluster, epoch = %lease.epoch);
        self.notices.begin().await;
        let begin = Driving::begin(self.world.clone(), lease, id.clone(), first);
        let driving = begin.instrument(span.clone()).await?.observed_by(self.metrics.clone());
        let (drivers, store) = (Arc::clone(&self.drivers), Arc::clone(&self.world.store));
        let notices = self.tells_own.then(|| Arc::clone(&self.notices));
        drivers.begun(&id);
        let stand_down = self.drivers.token().clone();
        let driven = async move {
            let driven = drive(driving, &place, store.as_ref(), &stand_down).await;
            // Before anybody learns that it stands still: an embedded coordinator ends then.
            if let Some(notices) = notices {
                notices.tell_of(&id).await;
            }
            match driven {
                Driven::Stands(run) => {
                    tell_end(&run, store.as_ref()).await;
                    drivers.stands(&id);
                }
                Driven::StoodDown => {
                    tracing::warn!(run = %id, "the run is left to whoever leads now");
                    drivers.stands(&id);
                }
                Driven::Failed(failure) => {
                    // An agent that obeys a driver of another store goes on obeying it.
                    let elsewhere = failure.id == STALE_EPOCH;
                    let failure = no_longer_driven(&place, failure, store.as_ref()).await;
                    tracing::warn!(run = %id, %failure, "the run can no longer be driven from here");
                    match elsewhere {
                        true => drivers.ended(&id, failure, true),
                        false => drivers.failed(&id, failure),
                    }
                }
            }
        };
        Ok(tokio::spawn(driven.instrument(span)))
    }
}

/// Says how a run stands, and where its journal's chain ends: a log that is kept elsewhere tells later whether the journal
/// is still the same.
async fn tell_end(run: &Run, store: &dyn Store) {
    let (run, phase) = (&run.id, &run.phase);
    match store.verbatim(run).await.map(|events| head_of(&events)) {
        Ok(head) => {
            let (seq, digest) = head.map(|head| (head.seq, head.digest)).unwrap_or_default();
            tracing::info!(%run, ?phase, seq, digest, "the run stands still");
        }
        Err(error) => tracing::info!(%run, ?phase, %error, "the run stands still"),
    }
}

/// What is driven, and at which epoch.
struct Place {
    run: RunId,
    cluster: ClusterName,
    epoch: Epoch,
}

/// How often to look whether somebody else drives by now: a driver that waits for an install would learn it only at its
/// end.
const STILL_OURS: Duration = Duration::from_secs(1);

/// How a driver ended.
enum Driven {
    /// Its run stands still, or is over.
    Stands(Box<Run>),
    /// It was stopped, because this coordinator leads no more.
    StoodDown,
    /// It could not go on.
    Failed(Failure),
}

/// In a task of its own, so that a driver that panics is heard of, too. One that was superseded is stopped wherever it is:
/// nothing that it could still write or order would be accepted.
async fn drive(driving: Driving, place: &Place, store: &dyn Store, stand_down: &CancellationToken) -> Driven {
    let mut driver = tokio::spawn(driving.drive().in_current_span());
    let ended = tokio::select! {
        driven = &mut driver => return match driven {
            Ok(Ok(run)) => Driven::Stands(Box::new(run)),
            Ok(Err(failure)) => Driven::Failed(failure),
            Err(panic) => Driven::Failed(
                Failure::bug("the driver stopped in the middle of its work").because(panic.to_string()),
            ),
        },
        latest = somebody_else(place, store) => {
            Driven::Failed(superseded(&place.cluster, Some(&latest)))
        }
        () = stand_down.cancelled() => Driven::StoodDown,
    };
    driver.abort();
    // Its lease is given back only when it is really gone.
    let _cut_off = driver.await;
    ended
}

/// Waits until somebody else drives. A store that does not answer says nothing about that.
async fn somebody_else(place: &Place, store: &dyn Store) -> LatestDriver {
    loop {
        tokio::time::sleep(STILL_OURS).await;
        match store.latest_driver(&place.cluster).await {
            Ok(Some(latest)) if latest.epoch > place.epoch => return latest,
            Ok(_) => {}
            Err(error) => tracing::debug!(run = %place.run, %error, "who drives cannot be told"),
        }
    }
}

/// What the failure of a driver means for its run, with what to do.
async fn no_longer_driven(place: &Place, failure: Failure, store: &dyn Store) -> Failure {
    let Place { run, cluster, .. } = place;
    if failure.id == SUPERSEDED {
        return Failure { remedy: Some(format!("ratchet watch {run}")), ..failure };
    }
    if failure.id == STALE_EPOCH {
        return refused_by_an_agent(place, &failure, store).await;
    }
    let resume = format!("ratchet resume {run}");
    let remedy = match failure.remedy {
        Some(remedy) => format!("{remedy}; then: {resume}"),
        None => resume,
    };
    let message = format!("run {run} of {cluster} is no longer driven: {}", failure.message);
    Failure { message, remedy: Some(remedy), ..failure }
}

/// An agent obeys a later driver. If this store does not know of one, that driver has another store.
async fn refused_by_an_agent(place: &Place, failure: &Failure, store: &dyn Store) -> Failure {
    let Place { run, cluster, epoch } = place;
    let latest = store.latest_driver(cluster).await.ok().flatten().filter(|latest| latest.epoch > *epoch);
    let remedy = match latest {
        Some(_) => format!("ratchet watch {run}"),
        None => format!(
            "ratchet status {cluster} tells who holds its nodes; to take them back: ratchet takeover {cluster}"
        ),
    };
    let failure = superseded(cluster, latest.as_ref()).because(failure.to_string());
    Failure { remedy: Some(remedy), ..failure }
}
