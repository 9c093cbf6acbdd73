//! Who drives, and which nodes obey.

use jiff::Timestamp;
use proto::{AgentMemory, NodeUid, StepId, StepKind, StepOutcome};

use super::{Verdict, active, progress};
use crate::run::story::forgotten_install;
use crate::run::{Driver, Record, Run, StepEntry, StepState};

pub(super) fn drive(run: &mut Run, record: &Record, holder: &str) -> Verdict {
    if run.driver.as_ref().is_some_and(|driver| driver.epoch >= record.epoch) {
        return Err(format!("epoch {} is not above the one before it", record.epoch));
    }
    run.driver = Some(Driver { holder: holder.to_owned(), epoch: record.epoch });
    run.claimed.clear();
    run.released.clear();
    run.refused = None;
    run.held = None;
    run.retries.clear();
    leave_stale_turn(run, record.at);
    Ok(())
}

/// A turn whose install was not intended goes back to its gate when the driver changes: what the old driver saw may be
/// long ago (promise P4).
pub(super) fn leave_stale_turn(run: &mut Run, at: Timestamp) {
    let stale = run.turn.clone().filter(|turn| !run.install_intended(turn));
    let Some(turn) = stale else { return };
    run.turn = None;
    let check = StepId::of(&run.id, turn.hop, turn.node, StepKind::Check, turn.round);
    if let Some(entry) = run.ledger.get_mut(&check).filter(|entry| entry.in_flight()) {
        let interrupted = StepOutcome::Interrupted("its coordinator went away".to_owned());
        entry.state = StepState::Ended(Box::new(interrupted));
        entry.ended_at = Some(at);
    }
}

pub(super) fn claim(run: &mut Run, node: NodeUid, memory: Option<&AgentMemory>, at: Timestamp) -> Verdict {
    active(run)?;
    progress(run, node)?;
    // Claims go up in uid order, so that two coordinators cannot each hold what the other waits for.
    if run.nodes.keys().any(|other| *other < node && !run.claimed.contains(other)) {
        return Err("a node with a lower uid is not claimed yet".to_owned());
    }
    run.claimed.insert(node);
    run.retries.remove(&Some(node));
    let Some(memory) = memory else { return Ok(()) };
    let before = run.memories.insert(node, memory.clone());
    if before.is_some_and(|before| before != *memory) {
        forget(run, node, at)?;
    }
    Ok(())
}

/// The agent has lost its state directory: archives and trees are gone with it, and what became of an install that it was
/// sent can no longer be asked. The journal and the agent then tell different stories. Such an install counts as cut off:
/// the node is looked at, and only a `retry` installs again (promise P6).
fn forget(run: &mut Run, node: NodeUid, at: Timestamp) -> Verdict {
    let install = run.install_in_flight().filter(|(_, entry)| entry.node == node);
    run.contradiction = install.map(|(step, entry)| forgotten_install(run, step, entry));
    let lost = |entry: &StepEntry| match entry.kind() {
        StepKind::Fetch | StepKind::Unpack => entry.in_flight() || entry.completed(),
        StepKind::Install => entry.in_flight(),
        StepKind::Check | StepKind::Confirm | StepKind::Collect | StepKind::Restart | StepKind::Tune => false,
    };
    let lost: Vec<StepId> = run
        .ledger
        .iter()
        .filter(|(_, entry)| entry.node == node && lost(entry))
        .map(|(step, _)| step.clone())
        .collect();
    for step in lost {
        if let Some(entry) = run.ledger.get_mut(&step) {
            let reason = "its agent has lost its state directory".to_owned();
            entry.state = StepState::Ended(Box::new(StepOutcome::Interrupted(reason)));
            entry.ended_at = Some(at);
        }
    }
    progress(run, node)?.round += 1;
    Ok(())
}

pub(super) fn all_claimed(run: &Run) -> Verdict {
    match run.nodes.keys().find(|node| !run.claimed.contains(node)) {
        None => Ok(()),
        Some(node) => Err(format!("{node} is not claimed")),
    }
}
