//! Who drives, and which nodes obey.

use jiff::Timestamp;
use proto::{NodeUid, StepId, StepKind, StepOutcome};

use super::{Verdict, active, progress};
use crate::run::{Driver, Record, Run, StepState, Turn};

pub(super) fn drive(run: &mut Run, record: &Record, holder: &str) -> Verdict {
    if run.driver.as_ref().is_some_and(|driver| driver.epoch >= record.epoch) {
        return Err(format!("epoch {} is not above the one before it", record.epoch));
    }
    run.driver = Some(Driver { holder: holder.to_owned(), epoch: record.epoch });
    run.claimed.clear();
    run.released.clear();
    run.refused = None;
    run.held = None;
    leave_stale_turn(run, record.at);
    Ok(())
}

/// A turn whose install was not intended goes back to its gate when the driver changes: what the old driver saw may be
/// long ago (promise P4).
pub(super) fn leave_stale_turn(run: &mut Run, at: Timestamp) {
    let stale = run.turn.clone().filter(|turn| !install_intended(run, turn));
    let Some(turn) = stale else { return };
    run.turn = None;
    let check = StepId::of(&run.id, turn.hop, turn.node, StepKind::Check, turn.round);
    if let Some(entry) = run.ledger.get_mut(&check).filter(|entry| entry.in_flight()) {
        let interrupted = StepOutcome::Interrupted("its coordinator went away".to_owned());
        entry.state = StepState::Ended(Box::new(interrupted));
        entry.ended_at = Some(at);
    }
}

pub(super) fn install_intended(run: &Run, turn: &Turn) -> bool {
    let install = run.step_id(turn.node, turn.hop, StepKind::Install);
    run.ledger.get(&install).is_some_and(|entry| entry.state != StepState::NeverStarted)
}

pub(super) fn claim(run: &mut Run, node: NodeUid) -> Verdict {
    active(run)?;
    progress(run, node)?;
    // Claims go up in uid order, so that two coordinators cannot each hold what the other waits for.
    if run.nodes.keys().any(|other| *other < node && !run.claimed.contains(other)) {
        return Err("a node with a lower uid is not claimed yet".to_owned());
    }
    run.claimed.insert(node);
    Ok(())
}

pub(super) fn all_claimed(run: &Run) -> Verdict {
    match run.nodes.keys().find(|node| !run.claimed.contains(node)) {
        None => Ok(()),
        Some(node) => Err(format!("{node} is not claimed")),
    }
}
