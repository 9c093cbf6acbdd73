//! A coordinator that waits for the cluster: the real judgements, the watch, and the end of its patience.

use proto::StepKind;

use crate::case::first_master;
use crate::look::Look;
use crate::model::{Model, Moved};
use crate::mutation::Mutation;
use crate::state::{Coordinator, Doing, Sent, State};
use crate::words::{Due, Happening, Seen, Trouble, What};

impl Model {
    /// The real `judge_gate` on what all agents say now; `None` while it holds back.
    pub(crate) fn look_for_turn<const N: usize>(
        &self,
        state: &State<N>,
        coordinator: Coordinator,
        hop: u8,
    ) -> Option<Seen> {
        let mut look = state.look();
        self.spoil_gate(&mut look, hop);
        let seen = self.pure.gate(coordinator.run, hop, State::<N>::code(&look), || look);
        match seen {
            Seen::Held => None,
            Seen::Passed { hop, node, from, master, .. } if self.has(Mutation::StaleLook) => {
                Some(Seen::Passed { hop, node, from, master, early: true })
            }
            seen => Some(seen),
        }
    }

    fn spoil_gate(&self, look: &mut Look, hop: u8) {
        let lowest = look.nodes.iter().position(|node| node.version <= hop);
        match self.mutation {
            Some(Mutation::SkipGate) => look.nodes.iter_mut().for_each(|node| {
                (node.answers, node.well, node.busy, node.claim) = (true, true, false, 1);
            }),
            Some(Mutation::ErrorPasses) => look.nodes.iter_mut().for_each(|node| node.believed = true),
            Some(Mutation::MasterReadOnce) => look.master = first_master(self.pure.case.nodes),
            Some(Mutation::UidOrder) => {
                look.master = lowest.and_then(|lowest| u8::try_from(lowest).ok()).unwrap_or(look.master);
            }
            _ => {}
        }
    }

    /// The real `judge_witness` on what all agents say now; `None` while it holds back.
    pub(crate) fn look_for_witnesses<const N: usize>(
        &self,
        state: &State<N>,
        coordinator: Coordinator,
        hop: u8,
        node: u8,
    ) -> Option<Seen> {
        let mut look = state.look();
        if self.has(Mutation::ConfirmSkipped) {
            return Some(Seen::Witnessed { hop, node, master: state.master });
        }
        if self.has(Mutation::WitnessAlone) {
            let others = (0..).zip(&mut look.nodes).filter(|(other, _)| *other != node);
            others.for_each(|(_, other)| other.believed = true);
        }
        let seen = self.pure.witness(coordinator.run, (hop, node), State::<N>::code(&look), || look);
        (seen != Seen::Held).then_some(seen)
    }

    /// The wait is over: the run says so and stands still, or goes on without the node.
    pub(crate) fn give_up<const N: usize>(&self, state: &State<N>, slot: u8) -> Moved<N> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        let mut state = *state;
        let off = |node: u8| state.agents[usize::from(node)].off;
        let what = match coordinator.doing {
            Doing::Lost(sent) => gave_up(sent),
            Doing::Waiting(sent) if off(sent.node) => gave_up(sent),
            Doing::Idle => match self.pure.due(coordinator.run, 0).0 {
                Due::Gate(hop) if self.look_for_turn(&state, coordinator, hop).is_none() => {
                    Happening::GaveUp(None)
                }
                Due::Witness(hop, node)
                    if self.look_for_witnesses(&state, coordinator, hop, node).is_none() =>
                {
                    Happening::GaveUp(Some((node, StepKind::Confirm)))
                }
                Due::Record if state.agents().iter().all(|agent| agent.off) => Happening::GaveUp(None),
                _ => return None,
            },
            _ => return None,
        };
        Some(self.write(&mut state, slot, what, Doing::Idle).map(|()| state))
    }

    /// While a step is at work, the watch looks at the others with the real `judge_watch`.
    pub(crate) fn watch<const N: usize>(&self, state: &State<N>, slot: u8) -> Moved<N> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        let mut state = *state;
        let at_work = |what| matches!(what, What::Execute(_));
        let doing = match coordinator.doing {
            Doing::Waiting(sent) | Doing::Lost(sent) | Doing::Heard(sent, _) if at_work(sent.what) => {
                coordinator.doing
            }
            Doing::Listening(_) => coordinator.doing,
            _ => return None,
        };
        let look = state.look();
        let news =
            self.pure.next(coordinator.run, coordinator.epoch, Happening::Breached)? != coordinator.run;
        if !news || !self.pure.breach(coordinator.run, State::<N>::code(&look), || look) {
            return None;
        }
        if self.has(Mutation::BreachUnwritten) {
            if state.looked == Default::default() {
                return None;
            }
            state.looked = Default::default();
            return Some(Ok(state));
        }
        Some(self.write(&mut state, slot, Happening::Breached, doing).map(|()| state))
    }

    pub(crate) fn take_request<const N: usize>(&self, state: &State<N>, slot: u8) -> Moved<N> {
        let coordinator = state.coordinators[usize::from(slot)]?;
        if matches!(coordinator.doing, Doing::Opening(_) | Doing::Asking(_)) {
            return None;
        }
        let mut state = *state;
        let ask = state.asked.take()?;
        // One that cannot be honoured now is dropped.
        Some(self.append(&mut state, slot, Happening::Asked(ask)).map(|_| state))
    }
}

fn gave_up(sent: Sent) -> Happening {
    match sent.what {
        What::Claim => Happening::ClaimRefused(sent.node, Trouble::Unreachable),
        What::Release => Happening::Released(sent.node, true),
        What::Execute(order) => Happening::GaveUp(Some((sent.node, order.kind))),
    }
}
