//! Steps: which may be intended when, and what their ends mean.

use jiff::Timestamp;
use proto::{FailureKind, NodeUid, StepId, StepKind, StepOutcome, StepSpec};

use super::driving::all_claimed;
use super::{Verdict, active, progress};
use crate::run::{Run, StepEntry, StepState, Turn};

pub(super) fn intend(
    run: &mut Run,
    step: &StepId,
    place: (NodeUid, usize),
    spec: &StepSpec,
    at: Timestamp,
) -> Verdict {
    active(run)?;
    all_claimed(run)?;
    let (node, hop) = place;
    may_intend(run, node, hop, spec.kind())?;
    if run.ledger.get(step).is_some_and(|entry| entry.state != StepState::NeverStarted) {
        return Err(format!("step {step} was intended before"));
    }
    let (id, told) = (run.id.clone(), run.told);
    let progress = progress(run, node)?;
    if spec.kind() == StepKind::Install {
        // Journals of format 1 used the id of an install that never reached its agent again.
        let number = (1..progress.attempt)
            .find(|number| StepId::of(&id, hop, node, StepKind::Install, *number) == *step);
        progress.attempt = number.unwrap_or(progress.attempt);
    }
    let entry = StepEntry {
        node,
        hop,
        told,
        attempt: progress.attempt,
        round: progress.round,
        spec: spec.clone(),
        state: StepState::InFlight,
        intended_at: at,
        ended_at: None,
    };
    run.ledger.insert(step.clone(), entry);
    Ok(())
}

/// Promises P1 and P4: an install belongs to a turn, and to one whose check has passed.
pub(super) fn may_intend(run: &Run, node: NodeUid, hop: usize, kind: StepKind) -> Verdict {
    let turn = run.turn.as_ref();
    match kind {
        StepKind::Fetch | StepKind::Unpack | StepKind::Restart | StepKind::Tune => match turn {
            None => Ok(()),
            Some(turn) => Err(format!("it is the turn of {}", turn.node)),
        },
        StepKind::Check | StepKind::Confirm | StepKind::Collect => in_turn(turn, node, hop).map(|_| ()),
        StepKind::Install => {
            let turn = in_turn(turn, node, hop)?;
            let check = StepId::of(&run.id, hop, node, StepKind::Check, turn.round);
            if !run.ledger.get(&check).is_some_and(StepEntry::completed) {
                return Err(format!("the check of {node} has not passed in this turn"));
            }
            if let Some((seen_at, _)) = &run.breach {
                return Err(format!("the cluster was not as it must be at {seen_at}"));
            }
            match run.install_in_flight() {
                None => Ok(()),
                Some((other, _)) => Err(format!("install {other} is in flight")),
            }
        }
    }
}

pub(super) fn in_turn(turn: Option<&Turn>, node: NodeUid, hop: usize) -> Result<&Turn, String> {
    turn.filter(|turn| turn.node == node && turn.hop == hop)
        .ok_or_else(|| format!("it is not the turn of {node}"))
}

pub(super) fn end_step(run: &mut Run, step: &StepId, state: StepState, at: Timestamp) -> Verdict {
    let entry = run.ledger.get_mut(step).ok_or_else(|| format!("step {step} was never intended"))?;
    if !entry.in_flight() {
        return Err(format!("step {step} has ended before"));
    }
    entry.state = state;
    entry.ended_at = Some(at);
    let node = entry.node;
    run.retries.remove(&Some(node));
    Ok(())
}

/// A turn whose check ended after the watch saw a breach goes back to its gate, whatever the check said.
pub(super) fn after_check(run: &mut Run, step: &StepId) {
    let Some(turn) = run.turn.as_ref().filter(|_| run.breach.is_some()) else { return };
    if *step == StepId::of(&run.id, turn.hop, turn.node, StepKind::Check, turn.round) {
        run.turn = None;
        run.turned_back += 1;
    }
}

/// How often in a row an agent may refuse an install for a passing reason before the run halts.
const REFUSALS: usize = 5;

/// An install that the agent refused before it started, for a reason that passes (the role moved, another step was at
/// work), goes back to its gate under a new id: nothing was started, so this is no second attempt at anything.
pub(super) fn after_refused_install(run: &mut Run, step: &StepId) {
    let Some(entry) = run.ledger.get(step) else { return };
    let passing =
        matches!(entry.outcome(), Some(StepOutcome::Failed(failure)) if failure.kind == FailureKind::Retry);
    if entry.kind() != StepKind::Install || !passing {
        return;
    }
    let (node, hop) = (entry.node, entry.hop);
    let refusals = run.ledger.of(node, hop, StepKind::Install).filter(|(_, entry)| entry.refused()).count();
    if let Some(progress) = run.nodes.get_mut(&node).filter(|_| refusals < REFUSALS) {
        progress.attempt += 1;
        run.turn = None;
    }
}

/// Nothing was started, so the turn goes back to its gate: the one that passed may be stale (promise P4). An install gets
/// a new id: the agent has closed the old one, so that an order that is still on its way starts nothing.
pub(super) fn never_started(run: &mut Run, step: &StepId, at: Timestamp) -> Verdict {
    end_step(run, step, StepState::NeverStarted, at)?;
    let install = run.ledger.get(step).filter(|entry| entry.kind() == StepKind::Install);
    if let Some(node) = install.map(|entry| entry.node) {
        progress(run, node)?.attempt += 1;
    }
    run.turn = None;
    Ok(())
}
