//! Letting steps run on their agents, and staying with them whatever happens to the connection.

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use proto::wire::{CancelStep, Execute};
use proto::{Authority, Failure, StepKind, StepOutcome, StepProgress};
use tokio::time::Instant;

use super::driver::{Driving, agent_of};
use super::progress::ProgressMeter;
use super::{Event, Halt, StepOrder};
use crate::agents::is_unreachable;

/// What the agent answers when it was never given a step.
const UNKNOWN_STEP: &str = "never-ordered";
/// What the agent answers to a driver whose time is over.
const STALE_EPOCH: &str = "stale-epoch";

/// What became of one attempt to stay with a step.
enum Stay {
    /// It ended.
    Ended(Box<StepOutcome>),
    /// It never reached the agent.
    NeverStarted,
    /// The connection was lost.
    Lost(Failure),
}

impl Driving {
    /// Lets one step run, or finds out what became of it.
    pub(super) async fn execute(&self, order: StepOrder, only_join: bool) -> Result<(), Failure> {
        self.minding_requests(self.run_step(order, only_join)).await?
    }

    /// Lets steps run side by side; when somebody wants the run to stop, they are cancelled.
    pub(super) async fn prepare(&self, orders: Vec<StepOrder>) -> Result<(), Failure> {
        let steps = join_all(orders.iter().cloned().map(|order| self.run_step(order, false)));
        self.minding(steps, &orders).await?.into_iter().collect()
    }

    pub(super) async fn cancel_all(&self, orders: &[StepOrder]) {
        let run = self.journal.state().await;
        let in_flight =
            |order: &&StepOrder| run.ledger.get(&order.step).is_some_and(|entry| entry.in_flight());
        let cancels = orders.iter().filter(in_flight).map(|order| async {
            let request = CancelStep { authority: self.authority(), step: order.step.clone() };
            let Ok(address) = agent_of(&run, order.node) else { return };
            // A step that could not be cancelled goes on to its end, which is waited for all the same.
            if let Err(failure) = self.world.agents.cancel(&address, &request).await {
                tracing::info!(step = %order.step, %failure, "could not be cancelled");
            }
        });
        join_all(cancels).await;
    }

    async fn run_step(&self, order: StepOrder, only_join: bool) -> Result<(), Failure> {
        if order.new {
            let StepOrder { step, node, hop, spec, .. } = order.clone();
            self.journal.append(Event::StepIntended { step, node, hop, spec }).await?;
        }
        let run = self.journal.state().await;
        let address = agent_of(&run, order.node)?;
        let event = match self.stay(&address, &order, only_join, run.deadlines.reach).await? {
            Stay::Ended(outcome) => Event::StepEnded { step: order.step, outcome },
            Stay::NeverStarted => Event::StepNeverStarted { step: order.step },
            Stay::Lost(failure) => {
                let failure = out_of_reach(&run.id, &order, failure);
                Event::Halted(Box::new(Halt {
                    node: Some(order.node),
                    step: Some(order.spec.kind()),
                    failure,
                }))
            }
        };
        match event {
            // Side by side with others, only the first lost connection halts the run.
            Event::Halted(_) if self.journal.state().await.phase != super::Phase::Active => Ok(()),
            event => self.journal.append(event).await,
        }
    }

    /// Stays with a step until it ends or its agent has been out of reach for too long.
    async fn stay(
        &self,
        address: &str,
        order: &StepOrder,
        only_join: bool,
        reach: Duration,
    ) -> Result<Stay, Failure> {
        let mut request = Execute {
            authority: self.authority(),
            step: order.step.clone(),
            spec: order.spec.clone(),
            from_seq: 1,
            only_join,
        };
        let mut meter = ProgressMeter::new(order.step.clone());
        let mut pause = super::backoff::Backoff::reconnecting();
        let mut gives_up = Instant::now() + reach;
        loop {
            let seen = request.from_seq;
            match self.attend(address, &mut request, &mut meter).await? {
                Stay::Lost(failure) if Instant::now() >= gives_up => return Ok(Stay::Lost(failure)),
                Stay::Lost(failure) => {
                    tracing::info!(step = %order.step, %failure, "the connection was lost; trying again");
                    // Nobody knows whether the agent has got the install: from now on it is only asked for (P4, P6).
                    request.only_join |= order.spec.kind() == StepKind::Install;
                    if request.from_seq > seen {
                        gives_up = Instant::now() + reach;
                        pause = super::backoff::Backoff::reconnecting();
                    }
                    tokio::time::sleep(pause.next_pause()).await;
                }
                ended => return Ok(ended),
            }
        }
    }

    /// One connection's worth of a step.
    async fn attend(
        &self,
        address: &str,
        request: &mut Execute,
        meter: &mut ProgressMeter,
    ) -> Result<Stay, Failure> {
        let mut events = match self.world.agents.execute(address, request).await {
            Ok(events) => std::pin::pin!(events),
            Err(failure) if is_unreachable(&failure) => return Ok(Stay::Lost(failure)),
            Err(failure) if failure.id == UNKNOWN_STEP && request.only_join => return Ok(Stay::NeverStarted),
            Err(failure) if failure.id == STALE_EPOCH => return Err(failure),
            // A clear refusal: the agent started nothing.
            Err(failure) => return Ok(Stay::Ended(Box::new(StepOutcome::Failed(failure)))),
        };
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(failure) => return Ok(Stay::Lost(failure)),
            };
            request.from_seq = event.seq + 1;
            if let StepProgress::Finished(outcome) = event.what {
                return Ok(Stay::Ended(outcome));
            }
            if let Some(row) = meter.note(&event) {
                self.journal.store().put_progress(self.journal.run_id(), &row).await?;
            }
        }
        Ok(Stay::Lost(Failure::retry(
            proto::wire::UNREACHABLE,
            format!("agent {address} ended the stream early"),
        )))
    }

    pub(super) fn authority(&self) -> Authority {
        Authority { run: self.journal.run_id().clone(), epoch: self.journal.epoch() }
    }
}

/// The agent is out of reach in the middle of a step: what that means, and what is possible.
fn out_of_reach(run: &proto::RunId, order: &StepOrder, failure: Failure) -> Failure {
    let kind = order.spec.kind();
    let cause = failure.to_string();
    let meaning = match kind {
        StepKind::Install => " (the install goes on without us; nobody will start it again)",
        _ => "",
    };
    Failure {
        message: format!("{} went out of reach during its {kind}{meaning}", order.node),
        cause: Some(cause),
        remedy: Some(format!("see that the node and its ratchet-agent are up, then: ratchet resume {run}")),
        ..failure
    }
}
