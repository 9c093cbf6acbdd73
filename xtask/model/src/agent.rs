//! What an agent does, as its executor does it: the real claim rules and the real rule of admission.

use proto::StepKind;

use crate::disk::{bit, how_it_ended, installing, installs, known, note, obey, use_up};
use crate::model::{Model, Moved, Violation, broken};
use crate::mutation::Mutation;
use crate::rules::{Admitted, Asked};
use crate::state::{Agent, Doing, Running, Sent, State};
use crate::words::{Answer, End, Message, Order, Trouble, What};

/// What an agent makes of a request.
enum Reply {
    /// It answers.
    Answer(Answer),
    /// The step is at work; its end will be told.
    Stream,
}

impl Model {
    /// A request arrives; a preparation may fail.
    pub(crate) fn deliver<const N: usize>(
        &self,
        state: &State<N>,
        message: Message,
        spoiled: Option<Trouble>,
    ) -> Moved<N> {
        let mut state = *state;
        if state.agents[usize::from(message.node)].off || !state.take(message) {
            return None;
        }
        Some(self.receive(&mut state, message, spoiled).map(|()| state))
    }

    fn receive<const N: usize>(
        &self,
        state: &mut State<N>,
        message: Message,
        spoiled: Option<Trouble>,
    ) -> Result<(), Violation> {
        let reply = match message.what {
            What::Claim => self.claimed(state, message)?,
            What::Release => self.released(state, message)?,
            What::Execute(order) => self.execute(state, message.epoch, order, spoiled)?,
        };
        let sent = Sent { node: message.node, what: message.what };
        let waits = state.coordinators.iter_mut().flatten().find(|coordinator| {
            coordinator.epoch == message.epoch && coordinator.doing == Doing::Waiting(sent)
        });
        if let Some(coordinator) = waits {
            coordinator.doing = match (reply, message.what) {
                (Reply::Answer(answer), _) => Doing::Heard(sent, answer),
                (Reply::Stream, What::Execute(order)) => Doing::Listening(order),
                (Reply::Stream, What::Claim | What::Release) => Doing::Idle,
            };
        }
        Ok(())
    }

    fn claimed<const N: usize>(&self, state: &mut State<N>, message: Message) -> Result<Reply, Violation> {
        let agent = state.agent(message.node);
        let epoch = if self.has(Mutation::EpochIgnoredByAgent) {
            message.epoch.max(agent.held.highest)
        } else {
            message.epoch
        };
        Ok(Reply::Answer(match self.rules.ask(agent.held, Asked::Claim, epoch) {
            Ok(held) => {
                agent.held = held;
                obey(agent, message.epoch, "a claim")?;
                Answer::Done(agent.memory)
            }
            Err(trouble) => Answer::Refused(trouble),
        }))
    }

    /// As the executor: nothing is given back while an install is at work.
    fn released<const N: usize>(&self, state: &mut State<N>, message: Message) -> Result<Reply, Violation> {
        let agent = state.agent(message.node);
        let epoch = if self.has(Mutation::EpochIgnoredByAgent) {
            message.epoch.max(agent.held.highest)
        } else {
            message.epoch
        };
        let refused = match self.rules.ask(agent.held, Asked::Check, epoch) {
            Ok(_) | Err(Trouble::NotClaimed) if installing(agent) => Some(Trouble::InstallInFlight),
            Ok(_) | Err(Trouble::NotClaimed) => None,
            Err(other) => Some(other),
        };
        let answer = match refused {
            Some(trouble) => Err(trouble),
            None => self.rules.ask(agent.held, Asked::Release, epoch),
        };
        Ok(Reply::Answer(match answer {
            Ok(held) => {
                agent.held = held;
                obey(agent, message.epoch, "a release")?;
                Answer::Done(agent.memory)
            }
            Err(trouble) => Answer::Refused(trouble),
        }))
    }

    fn execute<const N: usize>(
        &self,
        state: &mut State<N>,
        epoch: u8,
        order: Order,
        spoiled: Option<Trouble>,
    ) -> Result<Reply, Violation> {
        let sent = state.sent;
        let agent = state.agent(order.node);
        let asked = if self.has(Mutation::EpochIgnoredByAgent) { agent.held.epoch } else { epoch };
        if let Err(trouble) = self.rules.ask(agent.held, Asked::Check, asked) {
            return Ok(Reply::Answer(Answer::Refused(trouble)));
        }
        if matches!(order.kind, StepKind::Fetch | StepKind::Unpack | StepKind::Collect) {
            // These disturb nobody and may be repeated: they are done at once.
            let end = spoiled.map_or(End::Completed, End::Failed);
            return Ok(Reply::Answer(Answer::Ended(end)));
        }
        let before = agent.running;
        let reply = self.admit(agent, epoch, order);
        let begins = agent.running != before && agent.running.is_some_and(|running| !running.following);
        if order.kind == StepKind::Install && begins && sent != Some((epoch, order.node)) {
            return broken(
                "P4",
                format!("node {} begins an install that its driver has only asked for", order.node),
            );
        }
        if matches!(reply, Reply::Stream) && agent.running.is_some_and(|running| running.by == epoch) {
            obey(agent, epoch, "a step")?;
        }
        Ok(reply)
    }

    /// As `Executor::admit`, after the claim: the real rule of admission.
    fn admit(&self, agent: &mut Agent, epoch: u8, order: Order) -> Reply {
        let asked = if self.has(Mutation::JoinStarts) { Order { join: false, ..order } } else { order };
        let before = known(agent, order);
        match self.rules.admit(before, asked, agent.running.is_some()) {
            Ok(Admitted::Join) => match how_it_ended(agent, order) {
                Some(end) => Reply::Answer(Answer::Ended(end)),
                None => Reply::Stream,
            },
            Ok(Admitted::Begin) => {
                note(agent, order);
                let started = order.kind == StepKind::Install
                    && installs(agent, order).started & bit(order.number) != 0;
                agent.running = Some(Running { order, by: epoch, following: started });
                Reply::Stream
            }
            Ok(Admitted::Close) => close(agent, epoch, order),
            Err(trouble) => {
                // A copy of this order that comes later must start nothing either.
                let install = order.kind == StepKind::Install;
                if install
                    && trouble == Trouble::Busy
                    && installs(agent, order).started & bit(order.number) == 0
                {
                    use_up(agent, order);
                }
                Reply::Answer(Answer::Refused(trouble))
            }
        }
    }

    /// A preparation fails.
    pub(crate) fn spoil<const N: usize>(
        &self,
        state: &State<N>,
        message: Message,
        lasting: bool,
    ) -> Moved<N> {
        let What::Execute(order) = message.what else { return None };
        if !matches!(order.kind, StepKind::Fetch | StepKind::Unpack) {
            return None;
        }
        let mut state = *state;
        state.budget.failures = state.budget.failures.checked_sub(1)?;
        self.deliver(&state, message, Some(if lasting { Trouble::Lasting } else { Trouble::Passing }))
    }
}

/// As `Executor::close`: the start of an install is used up, and whoever asked is told that it was never ordered. If an
/// op runner was faster, it is joined.
fn close(agent: &mut Agent, epoch: u8, order: Order) -> Reply {
    if installs(agent, order).started & bit(order.number) != 0 {
        agent.running = Some(Running { order, by: epoch, following: true });
        return Reply::Stream;
    }
    use_up(agent, order);
    Reply::Answer(Answer::Refused(Trouble::NeverOrdered))
}
