//! The pure machine: what an event does to a run, and which events cannot be.

mod asked;
mod driving;
mod settings;
mod steps;
mod turns;
mod watch;

use std::sync::Arc;

use proto::{NodeRole, NodeUid, RunId, Version};

use super::{Event, NodeProgress, Phase, Record, Run, RunEnd, StepState, Turn};
use asked::{ask, pause, pause_for_change, pause_outside_window};
use driving::{claim, drive};
use settings::{record_setting, restore_setting};
use steps::{after_check, after_refused_install, end_step, intend, never_started};
use turns::{between_turns, pass_gate, seen_at_target, witness};
use watch::breached;

/// An event that cannot follow what the journal holds: the journal is damaged or the driver is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} of run {run}, `{event}`, cannot happen now: {reason}")]
pub struct Illegal {
    /// The run.
    pub run: RunId,
    /// The event's number.
    pub seq: u64,
    /// The event's kind.
    pub event: &'static str,
    /// Why it cannot be.
    pub reason: String,
}

type Verdict = Result<(), String>;

/// The run that a journal leaves.
pub fn replay(id: &RunId, records: &[Record]) -> Result<Run, Illegal> {
    let illegal =
        |seq, event, reason: &str| Illegal { run: id.clone(), seq, event, reason: reason.to_owned() };
    let (first, rest) =
        records.split_first().ok_or_else(|| illegal(1, "created", "the journal of this run is empty"))?;
    let mut run =
        create(id, first).ok_or_else(|| illegal(first.seq, first.event.kind(), "it is not `created`"))?;
    for (expected, record) in (2..).zip(rest) {
        if record.seq != expected {
            return Err(illegal(record.seq, record.event.kind(), "an event before it is missing"));
        }
        run = next(run, record)?;
    }
    Ok(run)
}

/// What an event makes of a run.
pub fn next(mut run: Run, record: &Record) -> Result<Run, Illegal> {
    let phase = run.phase.clone();
    apply(&mut run, record).map_err(|reason| Illegal {
        run: run.id.clone(),
        seq: record.seq,
        event: record.event.kind(),
        reason,
    })?;
    run.updated_at = record.at;
    if run.phase != phase {
        run.phase_since = record.at;
    }
    Ok(run)
}

fn create(id: &RunId, record: &Record) -> Option<Run> {
    let Event::Created { plan, prepare_only, deadlines, by: _ } = &record.event else { return None };
    let nodes = plan.nodes.iter().map(|node| (node.uid, starting(node.installed, node.role))).collect();
    Some(Run {
        id: id.clone(),
        plan: Arc::new((**plan).clone()),
        prepare_only: *prepare_only,
        deadlines: *deadlines,
        phase: Phase::Active,
        driver: None,
        nodes,
        turn: None,
        ledger: super::Ledger::default(),
        claimed: Default::default(),
        released: Default::default(),
        kept: Default::default(),
        refused: None,
        told: 0,
        pause_wanted: false,
        abort_wanted: false,
        aborts: 0,
        held: None,
        retries: Default::default(),
        breach: None,
        turned_back: 0,
        memories: Default::default(),
        contradiction: None,
        settings: Default::default(),
        configuration: plan.configuration.clone().map(Arc::new),
        not_admitted: None,
        foreign: Vec::new(),
        advice: Vec::new(),
        created_at: record.at,
        updated_at: record.at,
        phase_since: record.at,
    })
}

fn starting(version: Version, role: NodeRole) -> NodeProgress {
    NodeProgress {
        attempt: 1,
        round: 1,
        done: Default::default(),
        witnesses: Vec::new(),
        version,
        role,
        turn_started_at: None,
    }
}

fn apply(run: &mut Run, record: &Record) -> Verdict {
    let at = record.at;
    if let Phase::Ended(_) = run.phase {
        return Err("the run is over".to_owned());
    }
    match &record.event {
        Event::Created { .. } => Err("a run is created once".to_owned()),
        Event::Driving { holder } => drive(run, record, holder),
        Event::Claimed { node, memory } => claim(run, *node, memory.as_ref(), at),
        Event::ClaimRefused { node, failure } => {
            active(run)?;
            run.retries.remove(&Some(*node));
            run.refused.get_or_insert((*node, failure.clone()));
            Ok(())
        }
        Event::StepIntended { step, node, hop, spec } => intend(run, step, (*node, *hop), spec, at),
        Event::StepEnded { step, outcome } => {
            end_step(run, step, StepState::Ended(outcome.clone()), at)?;
            after_check(run, step);
            after_refused_install(run, step);
            Ok(())
        }
        Event::StepNeverStarted { step } => never_started(run, step, at),
        Event::Retrying(retry) => {
            active(run)?;
            run.retries.insert(retry.node, retry.clone());
            Ok(())
        }
        Event::Breached { seen_at, breaches } => breached(run, *seen_at, breaches),
        Event::SettingRecorded { setting, original, wanted } => {
            record_setting(run, *setting, *original, *wanted)
        }
        Event::SettingRestored { setting } => restore_setting(run, *setting),
        Event::GateHeld { hop, reasons, gives_up_at } => {
            between_turns(run, *hop)?;
            run.held = Some((reasons.clone(), *gives_up_at));
            Ok(())
        }
        Event::GatePassed { hop, node, from, role, master, observed_at } => {
            let turn = Turn { hop: *hop, node: *node, from: *from, role: *role, round: 0 };
            pass_gate(run, turn, *master, *observed_at, at)
        }
        Event::SeenAtTarget { hop, node, version } => seen_at_target(run, *hop, *node, *version, at),
        Event::Witnessed { hop, node, by, master } => witness(run, (*hop, *node), by, *master, at),
        Event::Requested { request, by: _ } => ask(run, request),
        Event::Paused => pause(run),
        Event::NotAdmitted { why, opens_at } => pause_outside_window(run, why, *opens_at),
        Event::ForeignChange { changes, .. } => pause_for_change(run, changes),
        Event::Halted(halt) => {
            active(run)?;
            run.held = None;
            run.retries.clear();
            run.contradiction = None;
            run.phase = Phase::Halted((**halt).clone());
            Ok(())
        }
        Event::Released { node, trouble } => {
            active(run)?;
            if trouble.is_some() {
                run.kept.insert(*node);
            }
            run.retries.remove(&Some(*node));
            run.claimed.remove(node);
            run.released.insert(*node);
            Ok(())
        }
        Event::Advised { advice } => {
            active(run)?;
            run.advice.clone_from(advice);
            Ok(())
        }
        // A run that has halted may have been told to go on while its hooks ran.
        Event::Hooked { .. } => Ok(()),
        Event::Ended(end) => finish(run, end),
    }
}

/// Promise P13: a run that has left a setting changed has not ended well.
fn finish(run: &mut Run, end: &RunEnd) -> Verdict {
    active(run)?;
    if let Some((setting, _)) = run.open_settings().next().filter(|_| *end == RunEnd::Done) {
        return Err(format!("{setting} has not been put back"));
    }
    run.retries.clear();
    run.phase = Phase::Ended(end.clone());
    Ok(())
}

fn active(run: &Run) -> Verdict {
    match run.phase {
        Phase::Active => Ok(()),
        Phase::Paused => Err("the run is paused".to_owned()),
        Phase::Halted(_) => Err("the run is halted".to_owned()),
        Phase::Ended(_) => Err("the run is over".to_owned()),
    }
}

fn progress(run: &mut Run, node: NodeUid) -> Result<&mut NodeProgress, String> {
    run.nodes.get_mut(&node).ok_or_else(|| format!("{node} is not in the plan"))
}
