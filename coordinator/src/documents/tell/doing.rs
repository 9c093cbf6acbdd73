//! What a run is doing or waiting for. Pure.

use proto::{NodeUid, StepKind};

use super::{foreign, not_admitted, retrying, second, seen};
use crate::documents::RunState;
use crate::run::{Halt, Phase, Run, RunEnd};

/// What a run is doing or waiting for.
pub fn doing(run: &Run, state: RunState) -> String {
    match (&run.phase, state) {
        (Phase::Active, RunState::Interrupted) => {
            format!("nobody drives it; it was {}", active(run))
        }
        (Phase::Active, _) => active(run),
        (Phase::Paused, _) if !run.foreign.is_empty() => format!("paused: {}", foreign(&run.foreign)),
        (Phase::Paused, _) => match &run.not_admitted {
            Some((why, opens_at)) => not_admitted(why, *opens_at),
            None => "paused between turns".to_owned(),
        },
        (Phase::Halted(halt), _) => halted(halt),
        (Phase::Ended(RunEnd::Done), _) if run.prepare_only => {
            "packages are verified and unpacked on every node".to_owned()
        }
        (Phase::Ended(RunEnd::Done), _) => format!("every node is at {}", run.plan.target),
        (Phase::Ended(RunEnd::Aborted), _) => {
            let done = run.nodes.values().filter(|node| node.version == run.plan.target).count();
            format!("aborted with {done} of {} nodes at {}", run.nodes.len(), run.plan.target)
        }
        (Phase::Ended(RunEnd::Blocked(failure)), _) => {
            format!("refused before anything was changed: {failure}")
        }
    }
}

fn active(run: &Run) -> String {
    let (work, when) = match &run.turn {
        Some(turn) => (on_its_turn(run, turn.node), " after this turn"),
        None => (between_turns(run), ""),
    };
    let mut text = format!("{work}{}", stop_wanted(run, when));
    if let Some(retry) = run.retries.values().min_by_key(|retry| retry.gives_up_at) {
        text = format!("{text}; {}", retrying(retry));
    }
    text
}

fn on_its_turn(run: &Run, node: NodeUid) -> String {
    let mut kinds = run.ledger.iter().filter(|(_, entry)| entry.node == node && entry.in_flight());
    let what = match kinds.next().map(|(_, entry)| entry.kind()) {
        Some(StepKind::Check) => "running the vendor's checks on",
        Some(StepKind::Install) => "installing on",
        Some(StepKind::Collect) => "collecting logs from",
        Some(StepKind::Confirm) | None => "waiting for others to confirm",
        Some(StepKind::Fetch | StepKind::Unpack | StepKind::Restart | StepKind::Tune) => "working on",
    };
    format!("{what} {node}")
}

fn between_turns(run: &Run) -> String {
    if let Some((reasons, until)) = &run.held {
        return format!("the gate is shut until at most {}: {}", second(*until), reasons.join("; "));
    }
    let in_flight = |kinds: &[StepKind]| {
        run.ledger.iter().filter(|(_, entry)| entry.in_flight() && kinds.contains(&entry.kind())).count()
    };
    let preparing = in_flight(&[StepKind::Fetch, StepKind::Unpack]);
    if preparing > 0 {
        return format!("preparing packages ({preparing} steps at work)");
    }
    if in_flight(&[StepKind::Tune]) > 0 {
        return "changing a setting of the cluster".to_owned();
    }
    match &run.breach {
        _ if run.claimed.len() + run.released.len() < run.nodes.len() => "claiming nodes".to_owned(),
        Some((_, breaches)) => format!("looking at the cluster anew, after {}", seen(breaches)),
        None => "looking at the cluster".to_owned(),
    }
}

fn stop_wanted(run: &Run, when: &str) -> String {
    match (run.abort_wanted, run.pause_wanted) {
        (true, _) => format!("; will abort{when}"),
        (false, true) => format!("; will pause{when}"),
        (false, false) => String::new(),
    }
}

pub(super) fn halted(halt: &Halt) -> String {
    match (halt.node, halt.step) {
        (Some(node), Some(step)) => format!("halted in the {step} of {node}: {}", halt.failure),
        (Some(node), None) => format!("halted at {node}: {}", halt.failure),
        (None, _) => format!("halted: {}", halt.failure),
    }
}
