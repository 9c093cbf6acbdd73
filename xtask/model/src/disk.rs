//! What an agent remembers of its steps, and the promise that is checked where it obeys.

use std::cmp::Ordering;

use proto::StepKind;

use crate::model::{Violation, broken};
use crate::rules::{Far, Known};
use crate::state::{Agent, Installs, Slot};
use crate::words::{End, Order, Trouble};

/// Promise P8: no agent carries out the order of a driver that it knows to be superseded.
pub(crate) fn obey(agent: &mut Agent, epoch: u8, what: &str) -> Result<(), Violation> {
    if epoch < agent.obeyed {
        return broken(
            "P8",
            format!("{what} of epoch {epoch} was obeyed after one of epoch {}", agent.obeyed),
        );
    }
    agent.obeyed = epoch;
    Ok(())
}

/// Whether an install is at work for the agent.
pub(crate) fn installing(agent: &Agent) -> bool {
    agent.running.is_some_and(|running| running.order.kind == StepKind::Install)
}

/// One attempt, as a bit.
pub(crate) fn bit(number: u8) -> u16 {
    1 << (number & 15)
}

pub(crate) fn same_step(one: Order, other: Order) -> bool {
    (one.kind, one.hop, one.number) == (other.kind, other.hop, other.number)
}

pub(crate) fn installs(agent: &Agent, order: Order) -> Installs {
    agent.installs[usize::from(order.hop)]
}

pub(crate) fn installs_mut(agent: &mut Agent, order: Order) -> &mut Installs {
    &mut agent.installs[usize::from(order.hop)]
}

pub(crate) fn slot(order: Order, end: Option<End>) -> Slot {
    Slot { hop: order.hop + 1, number: order.number, end }
}

/// What the agent says of a step: nothing, or how far it has come.
pub(crate) fn known(agent: &mut Agent, order: Order) -> Option<Known> {
    let running = agent.running.filter(|running| same_step(running.order, order));
    if order.kind == StepKind::Install {
        let (files, at) = (installs(agent, order), bit(order.number));
        let far = match (running.is_some(), files.ended & at != 0, files.started & at != 0) {
            (true, ..) => Far::Running,
            (false, true, _) => Far::Ended,
            (false, false, true) => Far::CutOffStarted,
            (false, false, false) => Far::CutOff,
        };
        return (files.known & at != 0).then_some(Known { far, flag: files.role & at != 0 });
    }
    let last = *agent.slot(order.kind);
    let far = match (order.hop + 1, order.number).cmp(&(last.hop, last.number)) {
        _ if running.is_some() => Far::Running,
        Ordering::Equal if last.end.is_none() => Far::CutOff,
        // An older one of the same kind has ended, or its driver has gone.
        Ordering::Equal | Ordering::Less => Far::Ended,
        Ordering::Greater => return None,
    };
    Some(Known { far, flag: order.flag })
}

pub(crate) fn note(agent: &mut Agent, order: Order) {
    match order.kind {
        StepKind::Install => {
            let files = installs_mut(agent, order);
            files.known |= bit(order.number);
            files.role &= !bit(order.number);
            files.role |= if order.flag { bit(order.number) } else { 0 };
        }
        kind => *agent.slot(kind) = slot(order, None),
    }
}

pub(crate) fn end_install(agent: &mut Agent, order: Order, end: End) {
    installs_mut(agent, order).ended |= bit(order.number);
    agent.last = Some((order.hop, order.number, end));
    agent.running = None;
}

/// How a step ended, if its agent has written that.
pub(crate) fn how_it_ended(agent: &mut Agent, order: Order) -> Option<End> {
    if known(agent, order)?.far != Far::Ended {
        return None;
    }
    if order.kind == StepKind::Install {
        let last = agent.last.filter(|(hop, number, _)| (*hop, *number) == (order.hop, order.number));
        return Some(last.map_or(End::Completed, |(.., end)| end));
    }
    let last = *agent.slot(order.kind);
    let this = (last.hop, last.number) == (order.hop + 1, order.number);
    Some(last.end.filter(|_| this).unwrap_or(End::Completed))
}

/// The one start of an install is used up, and it has ended: nothing was changed, and nothing can be.
pub(crate) fn use_up(agent: &mut Agent, order: Order) {
    let files = installs_mut(agent, order);
    let at = bit(order.number);
    files.known |= at;
    files.started |= at;
    files.ended |= at;
    agent.last = Some((order.hop, order.number, End::Failed(Trouble::Closed)));
}
