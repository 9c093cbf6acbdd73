//! Letting steps run on their agents, and staying with them whatever happens to the connection.

use futures::StreamExt;
use futures::future::join_all;
use proto::wire::{CancelStep, Execute};
use proto::{Authority, Failure, StepKind, StepOutcome, StepProgress};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::driver::{Driving, agent_of, is_superseded};
use super::progress::ProgressMeter;
use super::retrying::Patience;
use super::story::unclear_install;
use super::{Event, Halt, Run, StepOrder, Wait};
use crate::agents::is_unreachable;

/// What the agent answers when it was never given a step.
const UNKNOWN_STEP: &str = "never-ordered";
/// What the agent answers when it was given a step, and has not begun it.
const NOT_BEGUN: &str = "not-running";

/// What became of one attempt to stay with a step.
enum Stay {
    /// It ended.
    Ended(Box<StepOutcome>),
    /// It never reached the agent.
    NeverStarted,
    /// The agent could not be reached.
    Lost(Failure),
    /// The agent was reached, then the connection broke.
    Broken(Failure),
    /// Nobody can tell whether it was started.
    Unclear(Failure),
    /// It has not ended within its deadline.
    Overdue,
}

impl Driving {
    /// Lets one step run, or finds out what became of it.
    pub(super) async fn execute(&self, order: StepOrder, only_join: bool) -> Result<(), Failure> {
        self.watched(self.run_step(order, only_join), &[]).await?
    }

    /// Lets steps run side by side; when somebody wants the run to stop, they are cancelled.
    pub(super) async fn prepare(&self, orders: Vec<StepOrder>) -> Result<(), Failure> {
        let steps = join_all(orders.iter().cloned().map(|order| self.run_step(order, false)));
        self.watched(steps, &orders).await?.into_iter().collect()
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
        let span = tracing::error_span!("step", node = %order.node, step = %order.step);
        self.order_step(order, only_join).instrument(span).await
    }

    async fn order_step(&self, order: StepOrder, only_join: bool) -> Result<(), Failure> {
        if order.new {
            let StepOrder { step, node, hop, spec, .. } = order.clone();
            self.journal.append(Event::StepIntended { step, node, hop, spec }).await?;
        }
        let run = self.journal.state().await;
        let address = agent_of(&run, order.node)?;
        let halt = |failure| {
            let (node, step) = (Some(order.node), Some(order.spec.kind()));
            Event::Halted(Box::new(Halt { node, step, failure }))
        };
        let event = match self.stay(&address, &order, only_join, &run).await? {
            Stay::Ended(outcome) => Event::StepEnded { step: order.step, outcome },
            Stay::NeverStarted => Event::StepNeverStarted { step: order.step },
            Stay::Lost(failure) | Stay::Broken(failure) => halt(out_of_reach(&run.id, &order, failure)),
            Stay::Unclear(failure) => {
                Event::Halted(Box::new(unclear_install(&run, order.node, &order.step, &failure)))
            }
            Stay::Overdue => halt(self.overdue(&run, &order).await),
        };
        match event {
            // Side by side with others, only the first lost connection halts the run.
            Event::Halted(_) if self.journal.state().await.phase != super::Phase::Active => Ok(()),
            event => self.journal.append(event).await,
        }
    }

    /// A step that its agent does not end. One that can be stopped is told to; an install never is.
    async fn overdue(&self, run: &Run, order: &StepOrder) -> Failure {
        if order.spec.kind().can_be_cancelled() {
            self.cancel_all(std::slice::from_ref(order)).await;
        }
        overdue(run, order)
    }

    /// Stays with a step until it ends, its deadline is over, or its agent has been out of reach for too long.
    async fn stay(
        &self,
        address: &str,
        order: &StepOrder,
        only_join: bool,
        run: &Run,
    ) -> Result<Stay, Failure> {
        let mut request = Execute {
            authority: self.authority(),
            step: order.step.clone(),
            spec: order.spec.clone(),
            from_seq: 1,
            only_join,
        };
        let mut meter = ProgressMeter::new(order.step.clone());
        let mut patience = Patience::new(&self.world.clock, Wait::Reach, run.deadlines.of(Wait::Reach));
        patience.about_step(order.node, &order.step);
        let overdue = Instant::now() + run.deadlines.of(order.wait());
        loop {
            let failure = match self.attend(address, &mut request, &mut meter, overdue).await? {
                Stay::Lost(_) | Stay::Broken(_) if Instant::now() >= overdue => return Ok(Stay::Overdue),
                // However long the step has been at work: out of reach it is from now on.
                Stay::Broken(failure) => {
                    patience.renew();
                    failure
                }
                Stay::Lost(failure) if patience.is_over() => return Ok(Stay::Lost(failure)),
                Stay::Lost(failure) => failure,
                ended => return Ok(ended),
            };
            // Nobody knows whether the agent has got the install: from now on it is only asked for (P4, P6).
            request.only_join |= order.spec.kind() == StepKind::Install;
            self.pause_for_retry(&mut patience, failure.to_string()).await?;
        }
    }

    /// One connection's worth of a step.
    async fn attend(
        &self,
        address: &str,
        request: &mut Execute,
        meter: &mut ProgressMeter,
        overdue: Instant,
    ) -> Result<Stay, Failure> {
        if let Some(stay) = self.give_catalogue(address, request).await {
            return Ok(stay);
        }
        let mut events = match self.world.agents.execute(address, request).await {
            Ok(events) => std::pin::pin!(events),
            Err(failure) if is_unreachable(&failure) => return Ok(Stay::Lost(failure)),
            Err(failure) if failure.id == UNKNOWN_STEP && request.only_join => return Ok(Stay::NeverStarted),
            Err(failure) if is_superseded(&failure) => return Err(failure),
            // The install may have been sent before: a refusal to tell about it does not say that it was not started.
            Err(failure) if request.only_join && failure.id != NOT_BEGUN => {
                return Ok(Stay::Unclear(failure));
            }
            // A clear refusal: the agent started nothing.
            Err(failure) => return Ok(Stay::Ended(Box::new(StepOutcome::Failed(failure)))),
        };
        // Only the wait for news is cut short, never the writing down of it.
        while let Ok(news) = timeout_at(overdue, events.next()).await {
            let event = match news {
                Some(Ok(event)) => event,
                Some(Err(failure)) => return Ok(Stay::Broken(failure)),
                None => return Ok(Stay::Broken(ended_early(address))),
            };
            request.from_seq = event.seq + 1;
            if let StepProgress::Finished(outcome) = event.what {
                return Ok(Stay::Ended(outcome));
            }
            if let Some(row) = meter.note(&event) {
                self.journal.store().put_progress(self.journal.run_id(), &row).await?;
            }
        }
        Ok(Stay::Overdue)
    }

    /// Before a step that needs a package, its agent is given the fleet owner's catalogue as it is now: the agent takes the
    /// owner's word for it and not ours. What is only joined was begun by it already.
    async fn give_catalogue(&self, address: &str, request: &Execute) -> Option<Stay> {
        let needs = matches!(request.spec.kind(), StepKind::Fetch | StepKind::Unpack | StepKind::Install);
        if !needs || request.only_join {
            return None;
        }
        let given = match self.world.signed.read() {
            Ok(None) => return None,
            Ok(Some(signed)) => self.world.agents.set_catalogue(address, &signed).await,
            Err(failure) => Err(failure),
        };
        match given {
            Ok(_) => None,
            Err(failure) if is_unreachable(&failure) => Some(Stay::Lost(failure)),
            Err(failure) => Some(Stay::Ended(Box::new(StepOutcome::Failed(failure)))),
        }
    }

    pub(super) fn authority(&self) -> Authority {
        Authority { run: self.journal.run_id().clone(), epoch: self.journal.epoch() }
    }
}

fn ended_early(address: &str) -> Failure {
    Failure::retry(proto::wire::UNREACHABLE, format!("agent {address} ended the stream early"))
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

/// The agent answers, but the step does not end: what that means, and what is possible.
fn overdue(run: &Run, order: &StepOrder) -> Failure {
    let (kind, node) = (order.spec.kind(), order.node);
    let limit = run.deadlines.of(order.wait()).as_secs();
    let message = format!("the {kind} of {node} has not ended within {limit} s");
    let cause = match kind {
        StepKind::Install => "it may still be at work; nobody will start it again",
        _ => "its agent answers, and was told to stop it",
    };
    let remedy = format!(
        "see what holds it up on the node (ratchet status, ps, dmesg), then: ratchet resume {}",
        run.id
    );
    Failure::operator("overdue", message, remedy).because(cause)
}
