//! `runs`, `show`, `watch` and the verbs on a run.

use std::time::Duration;

use jiff::Timestamp;
use proto::{Authority, Failure, NodeUid, RunId};
use tokio::task::JoinHandle;

use super::Core;
use crate::documents::{
    Document, EventDocument, RunDocument, RunState, RunView, RunsDocument, WatchDocument, event_document,
};
use crate::run::{Driving, Event, Phase, Request, Run};
use crate::store::{Lease, RunListing};

/// Between two looks at the store while a run is watched.
const LOOK: Duration = Duration::from_millis(150);
/// How long a request may stay unanswered by the driver before its author is told that it waits.
const TAKEN: Duration = Duration::from_secs(3);

impl Core {
    pub(super) async fn runs(&self) -> Result<RunsDocument, Failure> {
        let mut rows = Vec::new();
        for listing in self.store().runs().await? {
            let (run, driven) = self.load(&listing.id).await?;
            rows.push(RunView { run: &run, progress: &[], driven }.row());
        }
        Ok(RunsDocument { schema: RunsDocument::SCHEMA.to_owned(), runs: rows })
    }

    pub(super) async fn show(&self, key: &str, with_events: bool) -> Result<RunDocument, Failure> {
        let listing = self.find(key).await?;
        let events = match with_events {
            true => Some(self.events(&listing.id, 1).await?),
            false => None,
        };
        self.document(&listing.id, events).await
    }

    async fn document(&self, id: &RunId, events: Option<Vec<EventDocument>>) -> Result<RunDocument, Failure> {
        let (run, driven) = self.load(id).await?;
        let progress = self.store().progress(id).await?;
        Ok(RunView { run: &run, progress: &progress, driven }.document(events))
    }

    async fn events(&self, id: &RunId, from_seq: u64) -> Result<Vec<EventDocument>, Failure> {
        let records = self.store().journal(id, from_seq).await?;
        Ok(records.iter().map(|record| event_document(id, record)).collect())
    }

    /// What is new in a run since an event, once something is; `None` when it stands still and everything was told.
    pub(super) async fn news(&self, watch: &mut Watching) -> Result<Option<WatchDocument>, Failure> {
        loop {
            let events = self.events(&watch.run, watch.next_seq).await?;
            let run = self.document(&watch.run, None).await?;
            let told = watch.last.replace(run.clone());
            let moved = told.as_ref().is_none_or(|told| differs(told, &run));
            if !events.is_empty() || moved {
                watch.next_seq = events.last().map_or(watch.next_seq, |event| event.seq + 1);
                return Ok(Some(WatchDocument { schema: WatchDocument::SCHEMA.to_owned(), events, run }));
            }
            if run.state != RunState::Running {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) async fn pause(&self, key: &str) -> Result<RunDocument, Failure> {
        self.ask(key, Request::Pause).await
    }

    pub(super) async fn abort(&self, key: &str) -> Result<RunDocument, Failure> {
        self.ask(key, Request::Abort).await
    }

    pub(super) async fn resume(&self, key: &str) -> Result<RunDocument, Failure> {
        self.go_on(key, Request::Resume).await
    }

    pub(super) async fn retry(&self, key: &str, node: Option<u32>) -> Result<RunDocument, Failure> {
        self.go_on(key, Request::Retry { node: node.map(NodeUid) }).await
    }

    /// Asks the driver, if there is one; else takes the run over for as long as the request needs.
    async fn ask(&self, key: &str, request: Request) -> Result<RunDocument, Failure> {
        let listing = self.find(key).await?;
        let (run, driven) = self.load(&listing.id).await?;
        if let (Request::Abort, Phase::Ended(_)) = (&request, &run.phase) {
            return self.give_back(&listing, &run).await;
        }
        not_over(&run)?;
        if driven {
            return self.ask_driver(&listing, &request).await;
        }
        match request {
            // A run that nobody drives does nothing, so there is nothing to pause; `show` says how it stands.
            Request::Pause => self.document(&listing.id, None).await,
            request => self.take_over(&listing, &run, request).await,
        }
    }

    /// A run that is over may have left claims on agents that could not be reached then: they are given back now, so
    /// that no node is lost to it (promise P12).
    async fn give_back(&self, listing: &RunListing, run: &Run) -> Result<RunDocument, Failure> {
        let lease = self.store().acquire(&listing.cluster, &crate::identity::holder()).await?;
        let authority = Authority { run: run.id.clone(), epoch: lease.epoch };
        for node in &run.plan.nodes {
            match self.world.agents.release(&node.agent, &authority).await {
                // Held by another run by now: there is nothing of this one to give back.
                Err(failure) if failure.id != "claimed-by-other" => return Err(failure),
                Ok(()) | Err(_) => {}
            }
        }
        self.document(&listing.id, None).await
    }

    async fn ask_driver(&self, listing: &RunListing, request: &Request) -> Result<RunDocument, Failure> {
        let by = crate::identity::person();
        self.store().ask(&listing.id, request, &by, Timestamp::now()).await?;
        let taken = async {
            loop {
                let (run, _) = self.load(&listing.id).await?;
                if run.abort_wanted || run.pause_wanted || run.phase != Phase::Active {
                    return Ok::<(), Failure>(());
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        // Not taken in time is no failure: it stays in the store until the driver looks.
        match tokio::time::timeout(TAKEN, taken).await {
            Ok(taken) => taken?,
            Err(_) => tracing::info!(run = %listing.id, "the driver has not taken the request yet"),
        }
        self.document(&listing.id, None).await
    }

    async fn go_on(&self, key: &str, request: Request) -> Result<RunDocument, Failure> {
        let listing = self.find(key).await?;
        let (run, driven) = self.load(&listing.id).await?;
        not_over(&run)?;
        if driven {
            return match request {
                Request::Resume if run.pause_wanted => self.ask_driver(&listing, &request).await,
                Request::Resume => self.document(&listing.id, None).await,
                _ => {
                    let remedy = format!("ratchet watch {}", run.id);
                    Err(Failure::operator("blocked", format!("run {} is being driven", run.id), remedy))
                }
            };
        }
        self.take_over(&listing, &run, request).await
    }

    async fn take_over(
        &self,
        listing: &RunListing,
        run: &Run,
        request: Request,
    ) -> Result<RunDocument, Failure> {
        let by = crate::identity::person();
        let event = Event::Requested { request, by };
        possible(run, &event)?;
        let ends_soon = matches!(event, Event::Requested { request: Request::Abort, .. });
        let lease = self.store().acquire(&listing.cluster, &crate::identity::holder()).await?;
        let driving = self.spawn(lease, listing.id.clone(), vec![event]).await?;
        if ends_soon && driving.await.is_err() {
            tracing::error!(run = %listing.id, "the driver panicked");
        }
        self.document(&listing.id, None).await
    }

    /// Takes a run over, then drives it in the background: whoever asks right afterwards sees it driven. How it ends is
    /// in its journal; only a failing store or a later driver is not.
    pub(super) async fn spawn(
        &self,
        lease: Lease,
        id: RunId,
        first: Vec<Event>,
    ) -> Result<JoinHandle<()>, Failure> {
        let driving = Driving::begin(self.world.clone(), lease, id.clone(), first).await?;
        Ok(tokio::spawn(async move {
            match driving.drive().await {
                Ok(run) => tracing::info!(run = %id, phase = ?run.phase, "the run stands still"),
                Err(failure) => {
                    tracing::error!(run = %id, %failure, "the run can no longer be driven from here");
                }
            }
        }))
    }
}

/// Where somebody is in watching a run.
#[derive(Debug)]
pub(super) struct Watching {
    run: RunId,
    next_seq: u64,
    last: Option<RunDocument>,
}

impl Watching {
    pub(super) fn new(run: RunId, from_seq: u64) -> Self {
        Self { run, next_seq: from_seq.max(1), last: None }
    }
}

/// Whether a watcher should be told: anything that is shown has changed.
fn differs(told: &RunDocument, now: &RunDocument) -> bool {
    let seen = |run: &RunDocument| (run.state, run.doing.clone());
    let steps = |run: &RunDocument| -> Vec<(u64, Option<String>)> {
        run.nodes
            .iter()
            .map(|node| node.step.as_ref().map_or((0, None), |step| (step.done, Some(step.doing.clone()))))
            .collect()
    };
    seen(told) != seen(now) || steps(told) != steps(now)
}

fn not_over(run: &Run) -> Result<(), Failure> {
    match &run.phase {
        Phase::Ended(_) => {
            let remedy = format!("ratchet show {}", run.id);
            Err(Failure::operator("blocked", format!("run {} is over", run.id), remedy))
        }
        Phase::Active | Phase::Paused | Phase::Halted(_) => Ok(()),
    }
}

/// Refuses what the machine would call illegal, before anything is written.
fn possible(run: &Run, event: &Event) -> Result<(), Failure> {
    let record = crate::run::Record {
        seq: 0,
        epoch: run.driver.as_ref().map(|driver| driver.epoch).unwrap_or_default(),
        at: run.updated_at,
        event: event.clone(),
    };
    crate::run::next(run.clone(), &record).map(|_| ()).map_err(|illegal| {
        let remedy = format!("ratchet why {}", run.id);
        Failure::operator("blocked", format!("run {} does not allow that now", run.id), remedy)
            .because(illegal.reason)
    })
}
