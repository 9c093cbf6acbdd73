//! News of a run.

use proto::{Failure, NodeUid, RunId, StepKind};

use super::{Kind, Notice, Subject};
use crate::documents::{Document, RunState, exit_code, next_commands};
use crate::failures::with_takeover;
use crate::run::{Event, Halt, Illegal, Record, Run, RunEnd, replay};

/// The news among the records of a run with numbers above the given one. The whole journal is needed: what can be done
/// about an event depends on all before it.
///
/// # Errors
/// The journal cannot be.
pub fn news_of_run(id: &RunId, records: &[Record], above: u64) -> Result<Vec<Notice>, Illegal> {
    let mut news = Vec::new();
    for (index, record) in records.iter().enumerate().filter(|(_, record)| record.seq > above) {
        if let Some((kind, state)) = kind_of(&record.event) {
            let run = replay(id, &records[..=index])?;
            news.push(notice(&run, record, kind, state));
        }
    }
    Ok(news)
}

/// Whether an event is news.
pub fn is_news(event: &Event) -> bool {
    kind_of(event).is_some()
}

/// What sort of news an event is, and how the run stands then.
fn kind_of(event: &Event) -> Option<(Kind, RunState)> {
    match event {
        Event::Halted(_) => Some((Kind::Halted, RunState::Halted)),
        // It pauses at once.
        Event::ForeignChange { .. } => Some((Kind::ForeignChange, RunState::Paused)),
        Event::Ended(RunEnd::Done) => Some((Kind::Done, RunState::Done)),
        Event::Ended(RunEnd::Aborted) => Some((Kind::Aborted, RunState::Aborted)),
        Event::Ended(RunEnd::Blocked(_)) => Some((Kind::Blocked, RunState::Blocked)),
        Event::Created { .. }
        | Event::Driving { .. }
        | Event::Claimed { .. }
        | Event::ClaimRefused { .. }
        | Event::StepIntended { .. }
        | Event::StepEnded { .. }
        | Event::StepNeverStarted { .. }
        | Event::Retrying(_)
        | Event::Breached { .. }
        | Event::SettingRecorded { .. }
        | Event::SettingRestored { .. }
        | Event::GateHeld { .. }
        | Event::GatePassed { .. }
        | Event::SeenAtTarget { .. }
        | Event::Witnessed { .. }
        | Event::Requested { .. }
        | Event::Paused
        | Event::NotAdmitted { .. }
        | Event::Released { .. }
        | Event::Advised { .. }
        | Event::Hooked { .. } => None,
    }
}

fn notice(run: &Run, record: &Record, kind: Kind, state: RunState) -> Notice {
    let (subject, cluster) = (Subject::of_run(&run.id), run.plan.cluster.clone());
    let mut commands = next_commands(run, state);
    if let Some(remedy) =
        failure_of(&record.event).and_then(|failure| with_takeover(&cluster, failure.clone()).remedy)
    {
        commands.retain(|command| *command != remedy);
        commands.insert(0, remedy);
    }
    Notice {
        schema: Notice::SCHEMA.to_owned(),
        id: subject.id(record.seq),
        at: record.at,
        kind,
        subject,
        title: title(run, kind),
        text: text(run, &record.event),
        cluster: Some(cluster),
        commands,
        journal: None,
        exit: Some(exit_code(state)),
    }
}

fn title(run: &Run, kind: Kind) -> String {
    let what = match kind {
        Kind::Halted => "has halted",
        Kind::ForeignChange => "has paused: somebody else changed the cluster's configuration",
        Kind::Aborted => "was aborted",
        Kind::Blocked => "was refused before anything was changed",
        _ => "is done",
    };
    let job = if run.prepare_only { "preparation for" } else { "upgrade to" };
    format!("{}: the {job} {} {what}", run.plan.cluster, run.plan.target)
}

fn failure_of(event: &Event) -> Option<&Failure> {
    match event {
        Event::Halted(halt) => Some(&halt.failure),
        Event::Ended(RunEnd::Blocked(failure)) => Some(failure),
        _ => None,
    }
}

/// What happened and why, in sentences.
fn text(run: &Run, event: &Event) -> String {
    let of_run = format!("Run {}", run.id);
    match event {
        Event::Halted(halt) => {
            let Halt { node, step, failure } = halt.as_ref();
            format!("{of_run} stands still{}: {failure}.", place(*node, *step))
        }
        Event::ForeignChange { changes, .. } => {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            format!("{of_run} has paused before its next turn. Changed: {}.", changes.join("; "))
        }
        Event::Ended(RunEnd::Blocked(failure)) => format!("{of_run}: {failure}."),
        Event::Ended(RunEnd::Aborted) => {
            format!("{of_run} was aborted; {}.", nodes_done(run))
        }
        _ => {
            let mut text = format!("{of_run} is over; {}.", nodes_done(run));
            if !run.advice.is_empty() {
                text.push_str(&format!(" Left to do: {}.", run.advice.join("; ")));
            }
            text
        }
    }
}

fn place(node: Option<NodeUid>, step: Option<StepKind>) -> String {
    match (node, step) {
        (Some(node), Some(step)) => format!(" at the {step} of {node}"),
        (Some(node), None) => format!(" at {node}"),
        (None, Some(step)) => format!(" at a {step}"),
        (None, None) => String::new(),
    }
}

fn nodes_done(run: &Run) -> String {
    let last = run.plan.hops.len().saturating_sub(1);
    let done = run.nodes.values().filter(|node| node.done.contains_key(&last)).count();
    let there = run.plan.hops.last().map_or(0, |hop| hop.already_there.len());
    match run.prepare_only {
        true => format!("{} nodes were prepared for", run.nodes.len()),
        false => format!("{} of {} nodes are at {}", done + there, run.nodes.len(), run.plan.target),
    }
}
