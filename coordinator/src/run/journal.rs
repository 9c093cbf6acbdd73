//! The journal of a run that is being driven: nothing is written that the machine calls illegal, and nothing counts
//! before it is written.

use std::sync::Arc;

use proto::{Clock, Failure, FailureKind, RunId};
use tokio::sync::Mutex;

use super::{Action, Event, JournalObserver, Run, decide, next, replay};
use crate::failures::superseded;
use crate::store::{Lease, Store};

/// A run's journal in the hands of its driver.
#[derive(Debug)]
pub struct Journal {
    store: Arc<dyn Store>,
    clock: Clock,
    lease: Lease,
    run: RunId,
    observer: Option<Arc<dyn JournalObserver>>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    run: Run,
    last_seq: u64,
    last_request: i64,
}

impl Journal {
    /// Opens the journal of a run that exists and writes down who drives it now.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Clock,
        lease: Lease,
        run: RunId,
    ) -> Result<Self, Failure> {
        let records = store.journal(&run, 1).await?;
        let state = replay(&run, &records)?;
        if state.driver.as_ref().is_some_and(|driver| driver.epoch >= lease.epoch) {
            return Err(superseded(&lease.cluster, store.latest_driver(&lease.cluster).await?.as_ref()));
        }
        let last_seq = records.last().map_or(0, |record| record.seq);
        let inner = Mutex::new(Inner { run: state, last_seq, last_request: 0 });
        let holder = crate::identity::holder();
        let journal = Self { store, clock, lease, run, observer: None, inner };
        journal.forget_requests().await?;
        journal.append(Event::Driving { holder }).await?;
        Ok(journal)
    }

    /// Tells somebody of every event from now on.
    pub(super) fn observed_by(self, observer: Arc<dyn JournalObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Requests made before this driver took over were made of somebody else.
    async fn forget_requests(&self) -> Result<(), Failure> {
        let requests = self.store.requests(&self.run, 0).await?;
        self.inner.lock().await.last_request = requests.last().map_or(0, |request| request.number);
        Ok(())
    }

    /// Appends an event: legal first, then durable, then counted.
    pub async fn append(&self, event: Event) -> Result<(), Failure> {
        let mut inner = self.inner.lock().await;
        self.append_locked(&mut inner, event).await
    }

    /// Appends an event, unless what happened meanwhile has made it impossible: then it has nothing more to say.
    ///
    /// # Errors
    /// The store failed, or somebody else drives now.
    pub async fn append_if_legal(&self, event: Event) -> Result<bool, Failure> {
        match self.append(event).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.kind == FailureKind::Bug => {
                tracing::debug!(run = %self.run, %failure, "not written down");
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn append_locked(&self, inner: &mut Inner, event: Event) -> Result<(), Failure> {
        let (seq, at) = (inner.last_seq + 1, self.clock.now());
        let record = super::Record { seq, epoch: self.lease.epoch, at, event };
        let run = next(inner.run.clone(), &record)?;
        self.store.append(&self.lease, &self.run, seq, at, &record.event).await?;
        if let Some(observer) = &self.observer {
            observer.appended(&run, &record);
        }
        inner.run = run;
        inner.last_seq = seq;
        Ok(())
    }

    /// Takes requests that others left in the store. One that cannot be honoured now is dropped: whoever asked sees
    /// from the run's state that it had no effect.
    pub async fn take_requests(&self) -> Result<(), Failure> {
        let mut inner = self.inner.lock().await;
        for stored in self.store.requests(&self.run, inner.last_request).await? {
            inner.last_request = stored.number;
            let event = Event::Requested { request: stored.request, by: stored.by };
            if let Err(failure) = self.append_locked(&mut inner, event).await {
                if failure.kind != FailureKind::Bug {
                    return Err(failure);
                }
                tracing::warn!(run = %self.run, %failure, "a request could not be honoured");
            }
        }
        Ok(())
    }

    /// What is due.
    pub async fn due(&self) -> Action {
        decide(&self.inner.lock().await.run)
    }

    /// The run as it stands.
    pub async fn state(&self) -> Run {
        self.inner.lock().await.run.clone()
    }

    /// Whether somebody wants the run to stand still or end.
    pub async fn stop_wanted(&self) -> bool {
        let inner = self.inner.lock().await;
        inner.run.pause_wanted || inner.run.abort_wanted
    }

    /// The store, for what is not journaled.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The run's id.
    pub fn run_id(&self) -> &RunId {
        &self.run
    }

    /// The epoch of this turn at driving.
    pub fn epoch(&self) -> proto::Epoch {
        self.lease.epoch
    }
}
