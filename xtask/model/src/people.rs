//! What people do, what becomes of processes, and the promises that are checked where the journal is written.

use crate::model::{Model, Moved, Violation, broken};
use crate::state::{Coordinator, Doing, Sent, State};
use crate::words::{Ask, Happening, Message, Seen, Stands, What};

impl Model {
    /// A coordinator dies. What it has sent may be on its way or die with it.
    pub(crate) fn crash<const N: usize>(&self, state: &State<N>, slot: u8, with_request: bool) -> Moved<N> {
        let mut state = *state;
        state.budget.crashes = state.budget.crashes.checked_sub(1)?;
        let coordinator = state.coordinators[usize::from(slot)].take()?;
        if with_request {
            let Doing::Waiting(sent) = coordinator.doing else { return None };
            state
                .take(Message { epoch: coordinator.epoch, node: sent.node, what: sent.what })
                .then_some(())?;
        }
        Some(Ok(state))
    }

    /// A connection breaks; what was sent may still arrive, late.
    pub(crate) fn lose_connection<const N: usize>(&self, state: &State<N>, slot: u8) -> Moved<N> {
        let mut state = *state;
        state.budget.losses = state.budget.losses.checked_sub(1)?;
        let coordinator = state.coordinators[usize::from(slot)].as_mut()?;
        let sent = match coordinator.doing {
            Doing::Waiting(sent) | Doing::Heard(sent, _) => sent,
            Doing::Listening(order) => Sent { node: order.node, what: What::Execute(order) },
            _ => return None,
        };
        coordinator.doing = Doing::Lost(sent);
        Some(Ok(state))
    }

    /// Nobody drives: a person starts a coordinator, if the machine allows what he asks for.
    pub(crate) fn start<const N: usize>(&self, state: &State<N>, slot: u8, ask: Ask) -> Moved<N> {
        let mut state = *state;
        state.budget.asks = state.budget.asks.checked_sub(1)?;
        if state.coordinators.iter().any(Option::is_some) || !self.possible(&state, ask) {
            return None;
        }
        take_lease(&mut state, slot, ask);
        Some(Ok(state))
    }

    /// Whether a person's request makes sense and is legal.
    pub fn possible<const N: usize>(&self, state: &State<N>, ask: Ask) -> bool {
        let stands = self.pure.stands(state.journal);
        if matches!(stands, Stands::Done | Stands::GivenUp) || (ask == Ask::Retry && stands != Stands::Halted)
        {
            return false;
        }
        let Some(driven) = self.pure.next(state.journal, above(state), Happening::Driving) else {
            return false;
        };
        self.pure.next(driven, above(state), Happening::Asked(ask)).is_some()
    }

    /// A second coordinator takes over from one that may be alive.
    pub(crate) fn seize<const N: usize>(&self, state: &State<N>, slot: u8) -> Moved<N> {
        let mut state = *state;
        state.budget.seizures = state.budget.seizures.checked_sub(1)?;
        if !self.possible(&state, Ask::Resume) {
            return None;
        }
        take_lease(&mut state, slot, Ask::Resume);
        Some(Ok(state))
    }

    pub(crate) fn ask<const N: usize>(&self, state: &State<N>, ask: Ask) -> Moved<N> {
        let mut state = *state;
        state.budget.asks = state.budget.asks.checked_sub(1)?;
        if state.asked.is_some() || matches!(self.pure.stands(state.journal), Stands::Done | Stands::GivenUp)
        {
            return None;
        }
        state.asked = Some(ask);
        Some(Ok(state))
    }

    /// Promises that are broken or kept where the journal is written. The state is that before the record.
    pub(crate) fn promised<const N: usize>(
        &self,
        state: &mut State<N>,
        driver: Coordinator,
        what: Happening,
    ) -> Result<(), Violation> {
        match what {
            Happening::Judged(seen) => self.judged_well(state, driver, seen)?,
            Happening::Breached => state.looked = Default::default(),
            // An agent that has lost its memory since cannot keep a late claim of before away.
            Happening::Released(node, false)
                if state.agent(node).held.by == 1 && state.agent(node).memory == 0 =>
            {
                return broken("P13", format!("node {node} counts as given back and is not"));
            }
            Happening::Finished => self.finished_well(state, driver)?,
            _ => {}
        }
        Ok(())
    }

    fn judged_well<const N: usize>(
        &self,
        state: &mut State<N>,
        driver: Coordinator,
        seen: Seen,
    ) -> Result<(), Violation> {
        match seen {
            Seen::Held | Seen::Contradicted => Ok(()),
            Seen::Passed { hop, node, .. } => {
                if !state.all_well() {
                    return broken(
                        "P4",
                        format!("the gate passed for node {node} in a cluster that is not well"),
                    );
                }
                let waits = |other: u8| state.agents[usize::from(other)].version <= hop;
                let due = (0..state.nodes).find(|other| *other == state.master && waits(*other));
                let due = due.or((0..state.nodes).find(|other| waits(*other)));
                if due != Some(node) {
                    let master = state.master;
                    return broken(
                        "P2",
                        format!("it is the turn of {due:?}, not of node {node}; the master is {master}"),
                    );
                }
                state.between = None;
                state.looked.gate = Some((driver.epoch, node));
                state.looked.check = None;
                Ok(())
            }
            Seen::AtTarget { hop, node, .. } | Seen::Witnessed { hop, node, .. } => {
                if !state.all_well() || state.agent(node).version <= hop {
                    return broken(
                        "P9",
                        format!("node {node} counts as through hop {}, and is not", hop + 1),
                    );
                }
                state.between = state.between.filter(|between| *between != node);
                Ok(())
            }
        }
    }

    fn finished_well<const N: usize>(&self, state: &State<N>, driver: Coordinator) -> Result<(), Violation> {
        let Some(after) = self.pure.next(driver.run, driver.epoch, Happening::Finished) else {
            return Ok(());
        };
        if self.pure.stands(after) != Stands::Done {
            return Ok(());
        }
        let last = self.pure.case.versions.len() - 1;
        let there = |version: u8| usize::from(version) == last;
        if let Some(node) =
            state.agents().iter().position(|agent| !there(agent.version) || agent.op.is_some())
        {
            return broken("P9", format!("done, and node {node} is not at the target"));
        }
        if state.tuned {
            return broken("P13", "done, and the setting is still changed");
        }
        Ok(())
    }
}

/// Above everything that was ever obeyed: a person who takes over sees to that.
fn above<const N: usize>(state: &State<N>) -> u8 {
    let obeyed = state.agents().iter().map(|agent| agent.held.highest).max().unwrap_or(0);
    state.epoch.max(obeyed).saturating_add(1)
}

fn take_lease<const N: usize>(state: &mut State<N>, slot: u8, ask: Ask) {
    state.epoch = above(state);
    let driver = Coordinator { run: state.journal, epoch: state.epoch, doing: Doing::Opening(ask) };
    state.coordinators[usize::from(slot)] = Some(driver);
}
