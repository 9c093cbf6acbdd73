//! Sentences about runs: what happens, in words that can be trusted at 3 a.m. Pure.

use proto::{NodeUid, RunId, StepId, StepKind, StepOutcome, StepReport};

use super::RunState;
use crate::run::{Event, Halt, Phase, Request, Run, RunEnd};

/// What a run is doing or waiting for.
pub fn doing(run: &Run, state: RunState) -> String {
    match (&run.phase, state) {
        (Phase::Active, RunState::Interrupted) => {
            format!("nobody drives it; it was {}", active(run))
        }
        (Phase::Active, _) => active(run),
        (Phase::Paused, _) => "paused between turns".to_owned(),
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
    if let Some(turn) = &run.turn {
        let kinds = run.ledger.iter().filter(|(_, entry)| entry.node == turn.node && entry.in_flight());
        let what = match kinds.map(|(_, entry)| entry.kind()).next() {
            Some(StepKind::Check) => "running the vendor's checks on",
            Some(StepKind::Install) => "installing on",
            Some(StepKind::Collect) => "collecting logs from",
            Some(StepKind::Confirm) | None => "waiting for others to confirm",
            Some(StepKind::Fetch | StepKind::Unpack | StepKind::Restart) => "working on",
        };
        return format!("{what} {}{}", turn.node, stop_wanted(run, " after this turn"));
    }
    if let Some((reasons, until)) = &run.held {
        return format!("the gate is shut until at most {until}: {}", reasons.join("; "));
    }
    let preparing = run.ledger.iter().filter(|(_, entry)| entry.in_flight()).count();
    match preparing {
        0 if run.claimed.len() < run.nodes.len() => "claiming nodes".to_owned(),
        0 => format!("looking at the cluster{}", stop_wanted(run, "")),
        steps => format!("preparing packages ({steps} steps at work){}", stop_wanted(run, "")),
    }
}

fn stop_wanted(run: &Run, when: &str) -> String {
    match (run.abort_wanted, run.pause_wanted) {
        (true, _) => format!("; will abort{when}"),
        (false, true) => format!("; will pause{when}"),
        (false, false) => String::new(),
    }
}

fn halted(halt: &Halt) -> String {
    match (halt.node, halt.step) {
        (Some(node), Some(step)) => format!("halted in the {step} of {node}: {}", halt.failure),
        (Some(node), None) => format!("halted at {node}: {}", halt.failure),
        (None, _) => format!("halted: {}", halt.failure),
    }
}

/// The node an event is about, if it is about one.
pub fn node_of(run: &RunId, event: &Event) -> Option<NodeUid> {
    match event {
        Event::Claimed { node }
        | Event::ClaimRefused { node, .. }
        | Event::StepIntended { node, .. }
        | Event::GatePassed { node, .. }
        | Event::SeenAtTarget { node, .. }
        | Event::Witnessed { node, .. }
        | Event::Released { node, .. } => Some(*node),
        Event::StepEnded { step, .. } | Event::StepNeverStarted { step } => node_of_step(run, step),
        Event::Halted(halt) => halt.node,
        Event::Created { .. }
        | Event::Driving { .. }
        | Event::GateHeld { .. }
        | Event::Requested { .. }
        | Event::Paused
        | Event::Advised { .. }
        | Event::Ended(_) => None,
    }
}

/// A step's id is made of its parts (`<run>.h<hop>.n<uid>.<kind>.a<number>`), so its node can be read off it.
fn node_of_step(run: &RunId, step: &StepId) -> Option<NodeUid> {
    let parts = step.as_str().strip_prefix(run.as_str())?;
    let uid = parts.split('.').find_map(|part| part.strip_prefix('n')?.parse().ok())?;
    Some(NodeUid(uid))
}

fn kind_of_step<'a>(run: &RunId, step: &'a StepId) -> &'a str {
    step.as_str().strip_prefix(run.as_str()).and_then(|parts| parts.split('.').nth(3)).unwrap_or("step")
}

/// What happened, in a sentence.
pub fn event(run: &RunId, event: &Event) -> String {
    match event {
        Event::Created { plan, prepare_only, by, .. } => {
            let what = if *prepare_only { "prepare" } else { "upgrade" };
            format!("{by} asked to {what} {} to {}", plan.cluster, plan.target)
        }
        Event::Driving { holder } => format!("{holder} drives"),
        Event::Claimed { .. } => "claimed".to_owned(),
        Event::ClaimRefused { failure, .. } => format!("the claim was refused: {failure}"),
        Event::StepIntended { spec, .. } => format!("{} begins", spec.kind()),
        Event::StepEnded { step, outcome } => step_ended(run, step, outcome),
        Event::StepNeverStarted { step } => {
            format!("{} never reached its agent; nothing was started", kind_of_step(run, step))
        }
        Event::GateHeld { reasons, gives_up_at, .. } => {
            format!("the gate is shut until at most {gives_up_at}: {}", reasons.join("; "))
        }
        Event::GatePassed { node, from, role, .. } => {
            format!("the cluster is healthy; it is the turn of {node}, the {role}, at {from}")
        }
        Event::SeenAtTarget { version, .. } => format!("at {version} already"),
        Event::Witnessed { node, by, master, .. } => {
            format!("{}; the master is {master}", witnessed(*node, by))
        }
        Event::Requested { request, by } => requested(request, by),
        Event::Paused => "paused between turns".to_owned(),
        Event::Halted(halt) => halted(halt),
        Event::Released { trouble: None, .. } => "released".to_owned(),
        Event::Released { node, trouble: Some(failure) } => format!("{node} keeps its claim: {failure}"),
        Event::Advised { advice } => format!("left to you: {}", advice.join("; ")),
        Event::Ended(RunEnd::Done) => "done".to_owned(),
        Event::Ended(RunEnd::Aborted) => "aborted".to_owned(),
        Event::Ended(RunEnd::Blocked(failure)) => format!("refused before anything was changed: {failure}"),
    }
}

fn witnessed(node: NodeUid, by: &[NodeUid]) -> String {
    let others: Vec<String> = by.iter().filter(|other| **other != node).map(ToString::to_string).collect();
    match others.is_empty() {
        true => "done: at the target and healthy; there is no other node to confirm it".to_owned(),
        false => format!("done: at the target and healthy, confirmed by {}", others.join(", ")),
    }
}

fn requested(request: &Request, by: &str) -> String {
    match request {
        Request::Pause => format!("{by} asked for a pause"),
        Request::Resume => format!("{by} asked to go on"),
        Request::Abort => format!("{by} asked to abort"),
        Request::Retry { node: Some(node) } => format!("{by} asked for another attempt at {node}"),
        Request::Retry { node: None } => format!("{by} asked for another attempt"),
    }
}

fn step_ended(run: &RunId, step: &StepId, outcome: &StepOutcome) -> String {
    let kind = kind_of_step(run, step);
    match outcome {
        StepOutcome::Completed { report, .. } => report_text(report),
        StepOutcome::Failed(failure) => format!("{kind} failed: {failure}"),
        StepOutcome::Interrupted(reason) => format!("{kind} was cut off: {reason}"),
        StepOutcome::Cancelled => format!("{kind} was cancelled"),
    }
}

fn report_text(report: &StepReport) -> String {
    match report {
        StepReport::Fetch { size, source } if source.is_empty() => {
            format!("package held already, SHA-256 verified ({})", mebibytes(*size))
        }
        StepReport::Fetch { size, source } => {
            format!("package fetched from {source}, SHA-256 verified ({})", mebibytes(*size))
        }
        StepReport::Unpack { files, size } => format!("{files} files unpacked ({})", mebibytes(*size)),
        StepReport::Check(checked) => {
            format!(
                "rlcheck passed ({} tests), all shards, nodes and endpoints OK",
                checked.rlcheck.tests.len()
            )
        }
        StepReport::Install(installed) => {
            format!("install.sh ended with {} after {}", installed.exit, seconds(installed.took_ms))
        }
        StepReport::Confirm { installed, .. } => {
            format!(
                "it finds itself at {} and healthy ({})",
                installed.version,
                installed.read_from.join(", ")
            )
        }
        StepReport::Collect { path, .. } => format!("logs collected in {path} on the node"),
        StepReport::Restart => "cnm_exec restarted".to_owned(),
    }
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}
