//! The verbs on a run: what people ask of it, with or without a driver.

use std::time::Duration;

use proto::{Authority, Failure, NodeUid};

use super::Core;
use super::drivers::Told;
use super::runs::LOOK;
use crate::documents::RunDocument;
use crate::failures::with_takeover;
use crate::run::{Event, Phase, Request, Run};
use crate::store::{Acquire, RunListing};

/// How long a request may stay unanswered by the driver before its author is told that it waits.
const TAKEN: Duration = Duration::from_secs(3);

impl Core {
    pub(super) async fn pause(&self, key: &str, by: &str) -> Result<RunDocument, Failure> {
        self.asked_by(by, key, Request::Pause).await
    }

    pub(super) async fn abort(&self, key: &str, by: &str) -> Result<RunDocument, Failure> {
        self.asked_by(by, key, Request::Abort).await
    }

    /// Goes on; with `acknowledge`, also with what somebody else has changed meanwhile.
    pub(super) async fn resume(
        &self,
        key: &str,
        acknowledge: bool,
        by: &str,
    ) -> Result<RunDocument, Failure> {
        let request = if acknowledge { Request::Acknowledge } else { Request::Resume };
        self.asked_by(by, key, request).await
    }

    pub(super) async fn retry(&self, key: &str, node: Option<u32>, by: &str) -> Result<RunDocument, Failure> {
        let request = Request::Retry { node: node.map(NodeUid) };
        self.asked_by(by, key, request).await
    }

    /// What a person asks of a run, or a rollout in its name.
    pub(in crate::server) async fn asked_by(
        &self,
        by: &str,
        key: &str,
        request: Request,
    ) -> Result<RunDocument, Failure> {
        match request {
            Request::Pause | Request::Abort => self.ask(by, key, request).await,
            Request::Resume | Request::Acknowledge | Request::Retry { .. } => {
                self.go_on(by, key, request).await
            }
        }
    }

    /// Asks the driver, if there is one; else takes the run over for as long as the request needs.
    async fn ask(&self, by: &str, key: &str, request: Request) -> Result<RunDocument, Failure> {
        let listing = self.find(key).await?;
        let (run, driven) = self.load(&listing.id).await?;
        if let (Request::Abort, Phase::Ended(_)) = (&request, &run.phase) {
            return self.give_back(&listing, &run).await;
        }
        not_over(&run)?;
        if driven {
            return match (&run.phase, request) {
                (Phase::Halted(_), Request::Abort) => {
                    self.during_hooks(by, &listing, &run, Request::Abort).await
                }
                (_, request) => self.ask_driver(by, &listing, &request).await,
            };
        }
        match request {
            // A run that nobody drives does nothing, so there is nothing to pause; `show` says how it stands.
            // Unless it is to go on by itself.
            Request::Pause if run.not_admitted.is_none() => self.document(&listing.id, None).await,
            request => self.take_run_over(by, &listing, &run, request).await,
        }
    }

    /// A run that is over may have left claims on agents that could not be reached then: they are given back now, so
    /// that no node is lost to it (promise P12).
    async fn give_back(&self, listing: &RunListing, run: &Run) -> Result<RunDocument, Failure> {
        let lease =
            self.store().acquire(&listing.cluster, &crate::identity::holder(), Acquire::IfFree).await?;
        let authority = Authority { run: run.id.clone(), epoch: lease.epoch };
        for node in &run.plan.nodes {
            match self.world.agents.release(&node.agent, &authority).await {
                // Held by another run by now: there is nothing of this one to give back.
                Err(failure) if failure.id != "claimed-by-other" => {
                    return Err(with_takeover(&listing.cluster, failure));
                }
                Ok(()) | Err(_) => {}
            }
        }
        self.document(&listing.id, None).await
    }

    async fn ask_driver(
        &self,
        by: &str,
        listing: &RunListing,
        request: &Request,
    ) -> Result<RunDocument, Failure> {
        self.store().ask(&listing.id, request, by, self.now()).await?;
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

    /// A run that has halted is driven while its hooks run, and its driver takes requests meanwhile. If it leaves before
    /// it has, the run is taken over as any other that nobody drives.
    async fn during_hooks(
        &self,
        by: &str,
        listing: &RunListing,
        before: &Run,
        request: Request,
    ) -> Result<RunDocument, Failure> {
        possible(before, &Event::Requested { request: request.clone(), by: by.to_owned() })?;
        self.store().ask(&listing.id, &request, by, self.now()).await?;
        let taken = async {
            loop {
                let (run, driven) = self.load(&listing.id).await?;
                if run.told > before.told || !driven {
                    return Ok::<Run, Failure>(run);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(TAKEN, taken).await {
            Ok(run) => match run? {
                run if run.told == before.told => self.take_run_over(by, listing, &run, request).await,
                _ => self.document(&listing.id, None).await,
            },
            // Not taken in time is no failure: it stays in the store until the driver looks.
            Err(_) => self.document(&listing.id, None).await,
        }
    }

    async fn go_on(&self, by: &str, key: &str, request: Request) -> Result<RunDocument, Failure> {
        let listing = self.find(key).await?;
        let (run, driven) = self.load(&listing.id).await?;
        not_over(&run)?;
        self.not_halted().await?;
        if driven && matches!(run.phase, Phase::Halted(_)) {
            return self.during_hooks(by, &listing, &run, request).await;
        }
        if driven {
            return match request {
                Request::Resume if run.pause_wanted => self.ask_driver(by, &listing, &request).await,
                Request::Resume | Request::Acknowledge => self.document(&listing.id, None).await,
                _ => {
                    let remedy = format!("ratchet watch {}", run.id);
                    Err(Failure::operator("blocked", format!("run {} is being driven", run.id), remedy))
                }
            };
        }
        self.take_run_over(by, &listing, &run, request).await
    }

    async fn take_run_over(
        &self,
        by: &str,
        listing: &RunListing,
        run: &Run,
        request: Request,
    ) -> Result<RunDocument, Failure> {
        let event = Event::Requested { request, by: by.to_owned() };
        possible(run, &event)?;
        let ends_soon = matches!(event, Event::Requested { request: Request::Abort, .. });
        let lease =
            self.store().acquire(&listing.cluster, &crate::identity::holder(), Acquire::IfFree).await?;
        let driving = self.spawn(lease, listing.id.clone(), vec![event]).await?;
        if ends_soon {
            driving
                .await
                .map_err(|error| Failure::bug("the driver was cut off").because(error.to_string()))?;
            if let Told::Failed(failure) = self.drivers.tell(&listing.id, 0, true) {
                return Err(failure);
            }
        }
        self.document(&listing.id, None).await
    }
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
