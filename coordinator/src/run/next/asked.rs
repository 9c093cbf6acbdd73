//! What people ask of a run.

use std::sync::Arc;

use jiff::Timestamp;
use proto::{NodeUid, StepKind, StepOutcome};

use super::{Verdict, active, progress};
use crate::fingerprint::Change;
use crate::run::{Phase, Request, Run, StepEntry, StepState};

pub(super) fn pause(run: &mut Run) -> Verdict {
    active(run)?;
    if !run.pause_wanted {
        return Err("nobody asked for a pause".to_owned());
    }
    stand_still(run)
}

/// Somebody else's change of the configuration pauses the run as a person's word does, but for that it must be acknowledged.
pub(super) fn pause_for_change(run: &mut Run, changes: &[Change]) -> Verdict {
    active(run)?;
    if changes.is_empty() {
        return Err("nothing was changed".to_owned());
    }
    run.foreign = changes.to_vec();
    stand_still(run)
}

/// Others do not let a turn begin. Whoever wants the run to end is not kept waiting for that.
pub(super) fn pause_outside_window(run: &mut Run, why: &str, opens_at: Option<Timestamp>) -> Verdict {
    active(run)?;
    if run.abort_wanted {
        return Err("somebody wants the run to end".to_owned());
    }
    stand_still(run)?;
    run.not_admitted = Some((why.to_owned(), opens_at));
    Ok(())
}

fn stand_still(run: &mut Run) -> Verdict {
    if let Some(turn) = &run.turn {
        return Err(format!("it is the turn of {}", turn.node));
    }
    run.pause_wanted = false;
    run.held = None;
    run.phase = Phase::Paused;
    Ok(())
}

/// From now on the configuration that was seen is the one that holds.
fn acknowledge(run: &mut Run) {
    let configuration = run.configuration.as_deref().cloned().unwrap_or_default();
    run.configuration = Some(Arc::new(configuration.with(&run.foreign)));
    run.foreign.clear();
}

pub(super) fn ask(run: &mut Run, request: &Request) -> Verdict {
    match request {
        Request::Pause => {
            run.pause_wanted = run.phase == Phase::Active;
            // A person's pause outlasts the opening of a window.
            run.not_admitted = None;
            Ok(())
        }
        Request::Resume if !run.foreign.is_empty() => {
            let changes: Vec<String> = run.foreign.iter().map(ToString::to_string).collect();
            Err(format!(
                "somebody has changed the configuration, and nobody has acknowledged it: {}",
                changes.join("; ")
            ))
        }
        Request::Resume => {
            resume(run);
            Ok(())
        }
        Request::Acknowledge => {
            acknowledge(run);
            resume(run);
            Ok(())
        }
        Request::Abort => {
            run.abort_wanted = true;
            run.aborts += 1;
            run.told += 1;
            run.not_admitted = None;
            if run.phase != Phase::Active {
                run.turn = None;
                run.phase = Phase::Active;
            }
            Ok(())
        }
        Request::Retry { node } => retry(run, *node),
    }
}

pub(super) fn resume(run: &mut Run) {
    run.pause_wanted = false;
    run.not_admitted = None;
    if run.phase == Phase::Active {
        return;
    }
    // A turn in which nothing was started goes back to its gate; one with an install that may have been started is looked
    // at again, never installed again.
    if let Some(turn) = run.turn.clone() {
        let install = run.ledger.get(&run.step_id(turn.node, turn.hop, StepKind::Install));
        let refused = install.is_some_and(StepEntry::refused);
        if let Some(progress) = run.nodes.get_mut(&turn.node).filter(|_| refused) {
            progress.attempt += 1;
        }
        if refused || !run.install_intended(&turn) {
            run.turn = None;
        }
    }
    new_rounds(run);
    run.turned_back = 0;
    run.told += 1;
    run.phase = Phase::Active;
}

/// Gives every node a new round, so that what failed or was cancelled is tried under a new id.
pub(super) fn new_rounds(run: &mut Run) {
    run.nodes.values_mut().for_each(|progress| progress.round += 1);
}

pub(super) fn retry(run: &mut Run, node: Option<NodeUid>) -> Verdict {
    let Phase::Halted(halt) = &run.phase else {
        return Err("only a halted run can be retried".to_owned());
    };
    let failed = halt.node.or(run.turn.as_ref().map(|turn| turn.node));
    let node = node.or(failed);
    if node != failed {
        return Err("only the node that failed can be retried".to_owned());
    }
    if let Some((step, _)) = run.install_in_flight() {
        return Err(format!("nobody knows what became of install {step} yet; resume the run to find out"));
    }
    if let Some(node) = node {
        let hop = run.hop().map_or(0, |(hop, _)| hop);
        let used = run.ledger.get(&run.step_id(node, hop, StepKind::Install)).is_some_and(consumed);
        let progress = progress(run, node)?;
        progress.attempt += u32::from(used);
    }
    run.turn = None;
    new_rounds(run);
    run.turned_back = 0;
    run.told += 1;
    run.phase = Phase::Active;
    Ok(())
}

/// Whether an install's id can no longer be used: it ended, in whatever way.
pub(super) fn consumed(entry: &StepEntry) -> bool {
    match &entry.state {
        StepState::Ended(outcome) => match **outcome {
            StepOutcome::Completed { .. }
            | StepOutcome::Failed(_)
            | StepOutcome::Interrupted(_)
            | StepOutcome::Cancelled => true,
        },
        StepState::InFlight => true,
        StepState::NeverStarted => false,
    }
}
