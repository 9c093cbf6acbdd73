//! Sentences about runs: what happens, in words that can be trusted at 3 a.m. Pure.

mod doing;
mod hooks;
mod steps;

use jiff::Timestamp;
use proto::{NodeUid, RunId, Setting, StepId, StepOutcome};

pub use doing::doing;
use doing::halted;
use steps::outcome_text;
pub use steps::step_progress;

use crate::checks::Acceptance;
use crate::fingerprint::Change;
use crate::run::{Breach, Event, Request, Retry, RunEnd, Wait};

/// The node an event is about, if it is about one.
pub fn node_of(run: &RunId, event: &Event) -> Option<NodeUid> {
    match event {
        Event::Claimed { node, .. }
        | Event::ClaimRefused { node, .. }
        | Event::StepIntended { node, .. }
        | Event::GatePassed { node, .. }
        | Event::SeenAtTarget { node, .. }
        | Event::Witnessed { node, .. }
        | Event::Released { node, .. } => Some(*node),
        Event::StepEnded { step, .. } | Event::StepNeverStarted { step } => node_of_step(run, step),
        Event::Retrying(retry) => retry.node,
        Event::Halted(halt) => halt.node,
        Event::Created { .. }
        | Event::Driving { .. }
        | Event::Breached { .. }
        | Event::SettingRecorded { .. }
        | Event::SettingRestored { .. }
        | Event::GateHeld { .. }
        | Event::Requested { .. }
        | Event::Paused
        | Event::NotAdmitted { .. }
        | Event::ForeignChange { .. }
        | Event::Advised { .. }
        | Event::Ended(_) => None,
        Event::Hooked { outcomes } => hooks::node_of(outcomes),
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
            format!("{by} asked to {what} {} to {}{}", plan.cluster, plan.target, accepting(&plan.accepted))
        }
        Event::Driving { holder } => format!("{holder} drives"),
        Event::Claimed { .. } => "claimed".to_owned(),
        Event::ClaimRefused { failure, .. } => format!("the claim was refused: {failure}"),
        Event::StepIntended { spec, .. } => format!("{} begins", spec.kind()),
        Event::StepEnded { step, outcome } => step_ended(run, step, outcome),
        Event::StepNeverStarted { step } => {
            format!("{} never reached its agent; nothing was started", kind_of_step(run, step))
        }
        Event::Retrying(retry) => retrying(retry),
        Event::Breached { breaches, .. } => {
            format!("{}: no install begins until the cluster has passed a gate again", seen(breaches))
        }
        Event::SettingRecorded { setting, original, wanted } => recorded(*setting, *original, *wanted),
        Event::SettingRestored { setting } => format!("{setting} is as it was before"),
        Event::GateHeld { reasons, gives_up_at, .. } => {
            format!("the gate is shut until at most {}: {}", second(*gives_up_at), reasons.join("; "))
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
        Event::NotAdmitted { why, opens_at } => not_admitted(why, *opens_at),
        Event::ForeignChange { changes, .. } => format!("paused: {}", foreign(changes)),
        Event::Halted(halt) => halted(halt),
        Event::Released { trouble: None, .. } => "released".to_owned(),
        Event::Released { node, trouble: Some(failure) } => format!("{node} keeps its claim: {failure}"),
        Event::Advised { advice } => format!("left to you: {}", advice.join("; ")),
        Event::Hooked { outcomes } => hooks::hooked(outcomes),
        Event::Ended(RunEnd::Done) => "done".to_owned(),
        Event::Ended(RunEnd::Aborted) => "aborted".to_owned(),
        Event::Ended(RunEnd::Blocked(failure)) => format!("refused before anything was changed: {failure}"),
    }
}

/// What was accepted, with the reasons, as the end of a sentence.
fn accepting(accepted: &[Acceptance]) -> String {
    let told: Vec<String> = accepted.iter().map(|of| format!("{} ({})", of.id, of.reason)).collect();
    if told.is_empty() { String::new() } else { format!(", accepting {}", told.join(", ")) }
}

fn retrying(retry: &Retry) -> String {
    let Retry { wait, attempt, cause, next_try_at, gives_up_at, .. } = retry;
    format!(
        "attempt {attempt} at {} failed: {cause}; next try at {}, gives up at {}",
        words(*wait).1,
        second(*next_try_at),
        second(*gives_up_at)
    )
}

/// A stable word for what is waited for.
pub fn wait_word(wait: Wait) -> &'static str {
    words(wait).0
}

/// What is waited for: a stable word, and words that fit "attempt 3 at …".
fn words(wait: Wait) -> (&'static str, &'static str) {
    match wait {
        Wait::Claim => ("claim", "the claim"),
        Wait::Fetch => ("fetch", "the fetch"),
        Wait::Unpack => ("unpack", "the unpacking"),
        Wait::Gate => ("gate", "the gate"),
        Wait::Check => ("check", "the check"),
        Wait::Install => ("install", "hearing of the install"),
        Wait::Confirm => ("confirm", "the confirmation"),
        Wait::Witness => ("witness", "finding witnesses"),
        Wait::Collect => ("collect", "collecting logs"),
        Wait::Restart => ("restart", "the restart"),
        Wait::Tune => ("tune", "changing a setting"),
        Wait::Setting => ("setting", "reading a setting"),
        Wait::Release => ("release", "the release"),
        Wait::Reach => ("reach", "reaching the agent"),
        Wait::Hook => ("hook", "running the hooks"),
    }
}

/// A time in a sentence: nobody reads fractions of seconds.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn seen(breaches: &[Breach]) -> String {
    breaches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What of a list of changes is told in one sentence; the run's document has all of them.
const CHANGES_TOLD: usize = 5;

/// What somebody else has changed, in a sentence.
fn foreign(changes: &[Change]) -> String {
    let told: Vec<String> = changes.iter().take(CHANGES_TOLD).map(ToString::to_string).collect();
    let more = changes.len().saturating_sub(CHANGES_TOLD);
    let rest = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("somebody else has changed the cluster's configuration: {}{rest}", told.join("; "))
}

fn recorded(setting: Setting, original: u64, wanted: u64) -> String {
    if original == wanted {
        return format!("{setting} is {original}, which will do");
    }
    format!("{setting} is {original}; it will be {wanted} until the end, then {original} again")
}

/// Why a run is paused that others do not let go on, in a sentence.
fn not_admitted(why: &str, opens_at: Option<Timestamp>) -> String {
    let until = opens_at.map(|at| format!("; it may go on at {}", second(at))).unwrap_or_default();
    format!("paused between turns: {why}{until}")
}

/// The command that puts a setting back by hand.
pub fn put_back(setting: Setting, original: u64) -> String {
    format!("rladmin tune cluster {setting} {original}")
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
        Request::Acknowledge => format!("{by} acknowledged the changes and asked to go on"),
        Request::Abort => format!("{by} asked to abort"),
        Request::Retry { node: Some(node) } => format!("{by} asked for another attempt at {node}"),
        Request::Retry { node: None } => format!("{by} asked for another attempt"),
    }
}

fn step_ended(run: &RunId, step: &StepId, outcome: &StepOutcome) -> String {
    outcome_text(kind_of_step(run, step), outcome)
}
