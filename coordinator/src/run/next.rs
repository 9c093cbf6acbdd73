//! The pure machine: what an event does to a run, and which events cannot be.

use jiff::Timestamp;
use proto::{FailureKind, NodeRole, NodeUid, RunId, StepId, StepKind, StepOutcome, StepSpec, Version};

use super::{Driver, Event, NodeProgress, Phase, Record, Request, Run, StepEntry, StepState, Turn};

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
        plan: (**plan).clone(),
        prepare_only: *prepare_only,
        deadlines: *deadlines,
        phase: Phase::Active,
        driver: None,
        nodes,
        turn: None,
        ledger: super::Ledger::default(),
        claimed: Default::default(),
        released: Default::default(),
        refused: None,
        pause_wanted: false,
        abort_wanted: false,
        held: None,
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
        Event::Claimed { node } => claim(run, *node),
        Event::ClaimRefused { node, failure } => {
            active(run)?;
            run.refused.get_or_insert((*node, failure.clone()));
            Ok(())
        }
        Event::StepIntended { step, node, hop, spec } => intend(run, step, (*node, *hop), spec, at),
        Event::StepEnded { step, outcome } => {
            end_step(run, step, StepState::Ended(outcome.clone()), at)?;
            after_refused_install(run, step);
            Ok(())
        }
        Event::StepNeverStarted { step } => never_started(run, step, at),
        Event::GateHeld { hop, reasons, gives_up_at } => {
            between_turns(run, *hop)?;
            run.held = Some((reasons.clone(), *gives_up_at));
            Ok(())
        }
        Event::GatePassed { hop, node, from, role, master, observed_at: _ } => {
            pass_gate(run, Turn { hop: *hop, node: *node, from: *from, role: *role, round: 0 }, *master, at)
        }
        Event::SeenAtTarget { hop, node, version } => seen_at_target(run, *hop, *node, *version, at),
        Event::Witnessed { hop, node, by, master } => witness(run, (*hop, *node), by, *master, at),
        Event::Requested { request, by: _ } => ask(run, request),
        Event::Paused => pause(run),
        Event::Halted(halt) => {
            active(run)?;
            run.held = None;
            run.phase = Phase::Halted((**halt).clone());
            Ok(())
        }
        Event::Released { node, trouble: _ } => {
            active(run)?;
            run.claimed.remove(node);
            run.released.insert(*node);
            Ok(())
        }
        Event::Advised { advice } => {
            active(run)?;
            run.advice.clone_from(advice);
            Ok(())
        }
        Event::Ended(end) => {
            active(run)?;
            run.phase = Phase::Ended(end.clone());
            Ok(())
        }
    }
}

fn active(run: &Run) -> Verdict {
    match run.phase {
        Phase::Active => Ok(()),
        Phase::Paused => Err("the run is paused".to_owned()),
        Phase::Halted(_) => Err("the run is halted".to_owned()),
        Phase::Ended(_) => Err("the run is over".to_owned()),
    }
}

fn drive(run: &mut Run, record: &Record, holder: &str) -> Verdict {
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
fn leave_stale_turn(run: &mut Run, at: Timestamp) {
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

fn install_intended(run: &Run, turn: &Turn) -> bool {
    let install = run.step_id(turn.node, turn.hop, StepKind::Install);
    run.ledger.get(&install).is_some_and(|entry| entry.state != StepState::NeverStarted)
}

fn claim(run: &mut Run, node: NodeUid) -> Verdict {
    active(run)?;
    progress(run, node)?;
    // Claims go up in uid order, so that two coordinators cannot each hold what the other waits for.
    if run.nodes.keys().any(|other| *other < node && !run.claimed.contains(other)) {
        return Err("a node with a lower uid is not claimed yet".to_owned());
    }
    run.claimed.insert(node);
    Ok(())
}

fn progress(run: &mut Run, node: NodeUid) -> Result<&mut NodeProgress, String> {
    run.nodes.get_mut(&node).ok_or_else(|| format!("{node} is not in the plan"))
}

fn all_claimed(run: &Run) -> Verdict {
    match run.nodes.keys().find(|node| !run.claimed.contains(node)) {
        None => Ok(()),
        Some(node) => Err(format!("{node} is not claimed")),
    }
}

fn between_turns(run: &Run, hop: usize) -> Verdict {
    active(run)?;
    all_claimed(run)?;
    if let Some(turn) = &run.turn {
        return Err(format!("it is the turn of {}", turn.node));
    }
    if run.hop().is_none_or(|(current, _)| current != hop) {
        return Err(format!("hop {} is not the one at work", hop + 1));
    }
    Ok(())
}

fn intend(run: &mut Run, step: &StepId, place: (NodeUid, usize), spec: &StepSpec, at: Timestamp) -> Verdict {
    active(run)?;
    all_claimed(run)?;
    let (node, hop) = place;
    may_intend(run, node, hop, spec.kind())?;
    if run.ledger.get(step).is_some_and(|entry| entry.state != StepState::NeverStarted) {
        return Err(format!("step {step} was intended before"));
    }
    let progress = progress(run, node)?;
    let entry = StepEntry {
        node,
        hop,
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
fn may_intend(run: &Run, node: NodeUid, hop: usize, kind: StepKind) -> Verdict {
    let turn = run.turn.as_ref();
    match kind {
        StepKind::Fetch | StepKind::Unpack | StepKind::Restart => match turn {
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
            match run.install_in_flight() {
                None => Ok(()),
                Some((other, _)) => Err(format!("install {other} is in flight")),
            }
        }
    }
}

fn in_turn(turn: Option<&Turn>, node: NodeUid, hop: usize) -> Result<&Turn, String> {
    turn.filter(|turn| turn.node == node && turn.hop == hop)
        .ok_or_else(|| format!("it is not the turn of {node}"))
}

fn end_step(run: &mut Run, step: &StepId, state: StepState, at: Timestamp) -> Verdict {
    let entry = run.ledger.get_mut(step).ok_or_else(|| format!("step {step} was never intended"))?;
    if !entry.in_flight() {
        return Err(format!("step {step} has ended before"));
    }
    entry.state = state;
    entry.ended_at = Some(at);
    Ok(())
}

/// How often in a row an agent may refuse an install for a passing reason before the run halts.
const REFUSALS: usize = 5;

/// An install that the agent refused before it started, for a reason that passes (the role moved, another step was at
/// work), goes back to its gate under a new id: nothing was started, so this is no second attempt at anything.
fn after_refused_install(run: &mut Run, step: &StepId) {
    let Some(entry) = run.ledger.get(step) else { return };
    let passing = matches!(entry.outcome(), Some(StepOutcome::Failed(failure)) if failure.kind == FailureKind::Retry);
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

/// Nothing was started, so the turn goes back to its gate: the one that passed may be stale (promise P4).
fn never_started(run: &mut Run, step: &StepId, at: Timestamp) -> Verdict {
    end_step(run, step, StepState::NeverStarted, at)?;
    run.turn = None;
    Ok(())
}

/// Promise P2: the master first if it waits, else the lowest uid.
fn pass_gate(run: &mut Run, turn: Turn, master: NodeUid, at: Timestamp) -> Verdict {
    between_turns(run, turn.hop)?;
    if let Some((step, _)) = run.install_in_flight() {
        return Err(format!("install {step} is in flight"));
    }
    let waiting = run.waiting(turn.hop);
    let due = waiting.iter().copied().find(|node| *node == master).or(waiting.iter().copied().min());
    if due != Some(turn.node) {
        return Err(format!("{} is not the node whose turn it is", turn.node));
    }
    for (node, progress) in &mut run.nodes {
        progress.role = if *node == master { NodeRole::Master } else { NodeRole::Replica };
    }
    let progress = progress(run, turn.node)?;
    progress.round += 1;
    progress.version = turn.from;
    progress.turn_started_at = Some(at);
    let round = progress.round;
    run.held = None;
    run.turn = Some(Turn { round, ..turn });
    Ok(())
}

fn seen_at_target(run: &mut Run, hop: usize, node: NodeUid, version: Version, at: Timestamp) -> Verdict {
    between_turns(run, hop)?;
    if !run.waiting(hop).contains(&node) {
        return Err(format!("{node} does not wait in hop {}", hop + 1));
    }
    if run.plan.hops.get(hop).is_none_or(|planned| version < planned.to) {
        return Err(format!("{version} is below the target of hop {}", hop + 1));
    }
    let progress = progress(run, node)?;
    progress.version = version;
    progress.done.insert(hop, at);
    Ok(())
}

fn witness(
    run: &mut Run,
    place: (usize, NodeUid),
    by: &[NodeUid],
    master: NodeUid,
    at: Timestamp,
) -> Verdict {
    active(run)?;
    let (hop, node) = place;
    in_turn(run.turn.as_ref(), node, hop)?;
    let confirm = run.step_id(node, hop, StepKind::Confirm);
    if !run.ledger.get(&confirm).is_some_and(StepEntry::completed) {
        return Err(format!("{node} has not been confirmed by itself"));
    }
    if run.nodes.len() > 1 && !by.iter().any(|other| *other != node) {
        return Err(format!("nobody but {node} itself has seen it healthy"));
    }
    let target = run.plan.hops.get(hop).map(|planned| planned.to);
    for (other, progress) in &mut run.nodes {
        progress.role = if *other == master { NodeRole::Master } else { NodeRole::Replica };
    }
    let progress = progress(run, node)?;
    progress.version = target.unwrap_or(progress.version);
    progress.witnesses = by.to_vec();
    progress.done.insert(hop, at);
    run.turn = None;
    Ok(())
}

fn pause(run: &mut Run) -> Verdict {
    active(run)?;
    if !run.pause_wanted {
        return Err("nobody asked for a pause".to_owned());
    }
    if let Some(turn) = &run.turn {
        return Err(format!("it is the turn of {}", turn.node));
    }
    run.pause_wanted = false;
    run.held = None;
    run.phase = Phase::Paused;
    Ok(())
}

fn ask(run: &mut Run, request: &Request) -> Verdict {
    match request {
        Request::Pause => {
            run.pause_wanted = run.phase == Phase::Active;
            Ok(())
        }
        Request::Resume => {
            resume(run);
            Ok(())
        }
        Request::Abort => {
            run.abort_wanted = true;
            if run.phase != Phase::Active {
                run.turn = None;
                run.phase = Phase::Active;
            }
            Ok(())
        }
        Request::Retry { node } => retry(run, *node),
    }
}

fn resume(run: &mut Run) {
    run.pause_wanted = false;
    if run.phase == Phase::Active {
        return;
    }
    // A turn without an install goes back to its gate; one with an install is looked at again, never installed again.
    if run.turn.as_ref().is_some_and(|turn| !install_intended(run, turn)) {
        run.turn = None;
    }
    new_rounds(run);
    run.phase = Phase::Active;
}

/// Gives every node a new round, so that what failed or was cancelled is tried under a new id.
fn new_rounds(run: &mut Run) {
    run.nodes.values_mut().for_each(|progress| progress.round += 1);
}

fn retry(run: &mut Run, node: Option<NodeUid>) -> Verdict {
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
    run.phase = Phase::Active;
    Ok(())
}

/// Whether an install's id can no longer be used: it ended, in whatever way.
fn consumed(entry: &StepEntry) -> bool {
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
