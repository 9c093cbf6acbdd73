//! What a coordinator does, as its driver does it: the real `decide`, the real `next`, one thing at a time.

use proto::StepKind;

use crate::model::{Model, Moved, Violation, broken};
use crate::mutation::Mutation;
use crate::state::{Coordinator, Doing, Sent, State};
use crate::words::{Answer, Ask, Due, End, Happening, Message, Order, Stands, Trouble, What};

/// What an append came to.
pub(crate) enum Written {
    /// It is in the journal.
    Yes,
    /// Somebody else drives now: this coordinator ends.
    Fenced,
    /// The machine calls it illegal.
    Illegal,
}

impl Model {
    /// A coordinator does what it does next.
    pub(crate) fn drive<const N: usize>(&self, state: &State<N>, slot: u8, which: u8) -> Moved<N> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        let mut state = *state;
        match coordinator.doing {
            Doing::Opening(ask) => self.open(&mut state, slot, ask).map(|done| done.map(|()| state)),
            Doing::Asking(ask) => Some(self.take_up(&mut state, slot, ask).map(|()| state)),
            Doing::Idle => self.do_due(&mut state, slot, which).map(|done| done.map(|()| state)),
            Doing::Waiting(_) => None,
            Doing::Listening(order) => self.hear(&mut state, slot, order).map(|done| done.map(|()| state)),
            Doing::Lost(sent) => self.send_again(&mut state, slot, sent).map(|done| done.map(|()| state)),
            Doing::Heard(sent, answer) => {
                Some(self.write_answer(&mut state, slot, sent, answer).map(|()| state))
            }
        }
    }

    /// Appends an event: legal first, then durable if the epoch is the store's, then counted.
    pub(crate) fn append<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        what: Happening,
    ) -> Result<Written, Violation> {
        let Some(coordinator) = state.coordinators[usize::from(slot)] else { return Ok(Written::Fenced) };
        let Some(after) = self.pure.next(coordinator.run, coordinator.epoch, what) else {
            return Ok(Written::Illegal);
        };
        if coordinator.epoch != state.epoch {
            if self.has(Mutation::EpochIgnoredByStore) {
                let what = format!("epoch {} wrote while {} is the store's", coordinator.epoch, state.epoch);
                return broken("P8", what);
            }
            state.coordinators[usize::from(slot)] = None;
            return Ok(Written::Fenced);
        }
        if coordinator.run != state.journal {
            return broken("P7", "the driver's run is not the one in its journal");
        }
        self.promised(state, coordinator, what)?;
        state.journal = after;
        state.coordinators[usize::from(slot)] = Some(Coordinator { run: after, ..coordinator });
        Ok(Written::Yes)
    }

    /// Appends what the driver itself found out, and goes on: an event that the machine refuses is a violation.
    pub(crate) fn write<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        what: Happening,
        then: Doing,
    ) -> Result<(), Violation> {
        match self.append(state, slot, what)? {
            Written::Yes => set(state, slot, then),
            Written::Fenced => {}
            // Its epoch is over as well: the store would not have taken it either.
            Written::Illegal if self.superseded(state, slot) => state.coordinators[usize::from(slot)] = None,
            Written::Illegal => {
                let Some(coordinator) = state.coordinators[usize::from(slot)] else { return Ok(()) };
                let why = self.pure.record(coordinator.run, coordinator.epoch, what, 0).1;
                return broken("refused by the machine", why.err().unwrap_or_default());
            }
        }
        Ok(())
    }

    fn superseded<const N: usize>(&self, state: &State<N>, slot: u8) -> bool {
        state.coordinators[usize::from(slot)].is_some_and(|coordinator| coordinator.epoch < state.epoch)
    }

    /// The journal is replayed and says who drives now; requests from before are forgotten.
    fn open<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        ask: Ask,
    ) -> Option<Result<(), Violation>> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        state.coordinators[usize::from(slot)] = Some(Coordinator { run: state.journal, ..coordinator });
        state.asked = None;
        let mut done = self.write(state, slot, Happening::Driving, Doing::Asking(ask));
        if done.is_ok()
            && self.has(Mutation::RejoinForgotten)
            && let Some(order) = self.pure.in_flight(state.journal)
        {
            done = self.write(state, slot, Happening::NeverStarted(plain(order)), Doing::Asking(ask));
        }
        Some(done)
    }

    fn take_up<const N: usize>(&self, state: &mut State<N>, slot: u8, ask: Ask) -> Result<(), Violation> {
        let halted = self.pure.stands(state.journal) == Stands::Halted;
        let cheats = self.has(Mutation::ResumeInstallsAgain) && ask == Ask::Resume && halted;
        if cheats && let Written::Yes = self.append(state, slot, Happening::Asked(Ask::Retry))? {
            set(state, slot, Doing::Idle);
            return Ok(());
        }
        match self.append(state, slot, Happening::Asked(ask))? {
            Written::Yes => {
                state.retries += u8::from(ask == Ask::Retry);
                set(state, slot, Doing::Idle);
            }
            // What cannot be is told to whoever asked, and the coordinator ends.
            Written::Illegal => state.coordinators[usize::from(slot)] = None,
            Written::Fenced => {}
        }
        Ok(())
    }

    fn do_due<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        which: u8,
    ) -> Option<Result<(), Violation>> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        let (due, _) = self.pure.due(coordinator.run, which);
        let what = match due {
            Due::Claim(node) => return self.send(state, slot, Sent { node, what: What::Claim }),
            Due::Release(node) if self.has(Mutation::DoneWithoutRelease) => Happening::Released(node, false),
            Due::Release(node) => return self.send(state, slot, Sent { node, what: What::Release }),
            Due::Step(order, new) => return self.do_step(state, slot, order, new),
            Due::Gate(hop) => Happening::Judged(self.look_for_turn(state, coordinator, hop)?),
            Due::Witness(hop, node) => {
                Happening::Judged(self.look_for_witnesses(state, coordinator, hop, node)?)
            }
            // All agents that answer read the same value; without any the wait goes on.
            Due::Record => (state.agents().iter().any(|agent| !agent.off)).then_some(Happening::Recorded)?,
            Due::Restored => Happening::Restored,
            Due::Halt => Happening::Halted,
            Due::Pause => Happening::Paused,
            Due::End => Happening::Finished,
            Due::Stand => {
                state.coordinators[usize::from(slot)] = None;
                return Some(Ok(()));
            }
        };
        Some(self.write(state, slot, what, Doing::Idle))
    }

    /// Writes the intent if it is new, then sends the step.
    fn do_step<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        order: Order,
        new: bool,
    ) -> Option<Result<(), Violation>> {
        let order = match order.kind {
            StepKind::Install if self.has(Mutation::RetryKeepsId) && order.number > 1 => {
                Order { number: order.number - 1, ..order }
            }
            _ => order,
        };
        let pretended = match order.kind {
            StepKind::Check => self.has(Mutation::NoCheck),
            StepKind::Confirm => self.has(Mutation::ConfirmSkipped),
            StepKind::Tune => self.has(Mutation::DoneWhileTuned) && order.flag,
            _ => false,
        };
        let late = order.kind == StepKind::Install && self.has(Mutation::EffectBeforeIntent);
        if new && !late {
            let written = self.write(state, slot, Happening::Intended(plain(order)), Doing::Idle);
            if written.is_err() || state.coordinators[usize::from(slot)].is_none() {
                return Some(written);
            }
        }
        if pretended {
            return Some(self.write(
                state,
                slot,
                Happening::Ended(plain(order), End::Completed),
                Doing::Idle,
            ));
        }
        self.send(state, slot, Sent { node: order.node, what: What::Execute(order) })
    }

    fn send<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        sent: Sent,
    ) -> Option<Result<(), Violation>> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        if let What::Execute(order) = sent.what
            && order.kind == StepKind::Install
            && !order.join
        {
            // Promise P4: whoever orders an install has seen its gate and its check pass, after the last breach.
            let seen = Some((coordinator.epoch, order.node));
            if state.looked.gate != seen || state.looked.check != seen {
                let what =
                    format!("an install of node {} is sent on an old look: {:?}", order.node, state.looked);
                return Some(broken("P4", what));
            }
            state.sent = seen;
        }
        let message = Message { epoch: coordinator.epoch, node: sent.node, what: sent.what };
        state.send(message).then_some(())?;
        set(state, slot, Doing::Waiting(sent));
        Some(Ok(()))
    }

    fn send_again<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        sent: Sent,
    ) -> Option<Result<(), Violation>> {
        let What::Execute(order) = sent.what else { return self.send(state, slot, sent) };
        let install = order.kind == StepKind::Install;
        if install && self.has(Mutation::SilenceIsNever) {
            return Some(self.write(state, slot, Happening::NeverStarted(plain(order)), Doing::Idle));
        }
        let join = order.join || (install && !self.has(Mutation::InstallResent));
        self.send(state, slot, Sent { what: What::Execute(Order { join, ..order }), ..sent })
    }

    /// The stream tells the end of the step, once its agent has written it.
    fn hear<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        order: Order,
    ) -> Option<Result<(), Violation>> {
        let agent = state.agent(order.node);
        if agent.off {
            return None;
        }
        let end = crate::disk::how_it_ended(agent, order)?;
        let sent = Sent { node: order.node, what: What::Execute(order) };
        Some(self.write_answer(state, slot, sent, Answer::Ended(end)))
    }

    fn write_answer<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        sent: Sent,
        answer: Answer,
    ) -> Result<(), Violation> {
        let what = match (sent.what, answer) {
            (What::Claim | What::Execute(_), Answer::Refused(Trouble::StaleEpoch | Trouble::GivenBack)) => {
                state.coordinators[usize::from(slot)] = None;
                return Ok(());
            }
            (What::Claim, Answer::Done(memory)) => Happening::Claimed(sent.node, memory),
            (What::Claim, Answer::Refused(trouble)) => Happening::ClaimRefused(sent.node, trouble),
            (What::Claim, Answer::Ended(_)) => Happening::ClaimRefused(sent.node, Trouble::Lasting),
            (What::Release, answer) => Happening::Released(sent.node, !matches!(answer, Answer::Done(_))),
            (What::Execute(order), Answer::Ended(end)) => {
                self.write_late_intent(state, slot, order)?;
                Happening::Ended(plain(order), end)
            }
            (What::Execute(order), Answer::Refused(Trouble::NeverOrdered)) if order.join => {
                Happening::NeverStarted(plain(order))
            }
            (What::Execute(order), Answer::Refused(trouble))
                if order.join && trouble != Trouble::NotRunning =>
            {
                // A refusal to tell about it does not say that it was not started.
                Happening::GaveUp(Some((order.node, order.kind)))
            }
            (What::Execute(order), Answer::Refused(trouble)) => {
                Happening::Ended(plain(order), End::Failed(trouble))
            }
            (What::Execute(order), Answer::Done(_)) => Happening::Ended(plain(order), End::Completed),
        };
        self.write(state, slot, what, Doing::Idle)
    }

    fn write_late_intent<const N: usize>(
        &self,
        state: &mut State<N>,
        slot: u8,
        order: Order,
    ) -> Result<(), Violation> {
        let late = order.kind == StepKind::Install && self.has(Mutation::EffectBeforeIntent);
        if late && !self.pure.has_in_flight(state.journal, order) {
            return self.write(state, slot, Happening::Intended(plain(order)), Doing::Idle);
        }
        Ok(())
    }
}

pub(crate) fn set<const N: usize>(state: &mut State<N>, slot: u8, doing: Doing) {
    if let Some(coordinator) = &mut state.coordinators[usize::from(slot)] {
        coordinator.doing = doing;
    }
}

/// An order as the journal knows it.
fn plain(order: Order) -> Order {
    Order { join: false, ..order }
}
