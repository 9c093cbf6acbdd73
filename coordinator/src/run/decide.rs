//! The pure decision: what is due.

use proto::{
    Failure, FailureKind, InstallSpec, NodeUid, Package, RestartableService, Sha256, StepId, StepKind,
    StepOutcome, StepReport, StepSpec, Version,
};

use super::{Action, Halt, Phase, Run, RunEnd, StepEntry, StepOrder, StepState, Turn};
use crate::plan::{PlannedHop, restarts_cnm_exec};

/// The one thing that is due.
pub fn decide(run: &Run) -> Action {
    if run.phase != Phase::Active {
        return Action::Stand;
    }
    if let Some((node, failure)) = &run.refused {
        return after_refusal(run, *node, failure);
    }
    if run.abort_wanted && run.turn.is_none() {
        return release_then(run, RunEnd::Aborted);
    }
    let free = |node: &&NodeUid| !run.claimed.contains(node) && !run.released.contains(node);
    if let Some(node) = run.nodes.keys().find(free) {
        return Action::Claim(*node);
    }
    if let Some(turn) = &run.turn {
        return during_turn(run, turn);
    }
    if run.pause_wanted {
        return Action::Pause;
    }
    between_turns(run)
}

/// A refused claim ends a run that has changed nothing, and halts one that has.
fn after_refusal(run: &Run, node: NodeUid, failure: &Failure) -> Action {
    if run.installs(None) == 0 {
        return release_then(run, RunEnd::Blocked(failure.clone()));
    }
    Action::Halt(Halt { node: Some(node), step: None, failure: failure.clone() })
}

fn release_then(run: &Run, end: RunEnd) -> Action {
    let held = |node: &&NodeUid| match end {
        RunEnd::Blocked(_) => run.claimed.contains(node),
        RunEnd::Done | RunEnd::Aborted => !run.released.contains(node),
    };
    match run.nodes.keys().find(held) {
        Some(node) => Action::Release(*node),
        None => Action::End(end),
    }
}

fn between_turns(run: &Run) -> Action {
    match prepare(run) {
        Some(action) => action,
        None if run.prepare_only => release_then(run, RunEnd::Done),
        None => match (service_restart(run), run.hop()) {
            (Some(action), _) => action,
            (None, Some((hop, _))) => Action::Gate { hop },
            (None, None) => release_then(run, RunEnd::Done),
        },
    }
}

/// Fetch and unpack, on every node and for every hop that still waits for it, side by side.
fn prepare(run: &Run) -> Option<Action> {
    let mut orders = Vec::new();
    for (hop, planned) in run.plan.hops.iter().enumerate() {
        let waiting = run.waiting(hop);
        for turn in planned.turns.iter().filter(|turn| waiting.contains(&turn.node)) {
            match prepare_node(run, hop, planned, turn.node, turn.package) {
                Ok(order) => orders.extend(order),
                Err(halt) => return Some(unprepared(run, hop, halt)),
            }
        }
    }
    (!orders.is_empty()).then_some(Action::Prepare(orders))
}

/// A package that cannot be prepared. Before the first install a refusal (wrong bytes, no room) ends the run with
/// nothing changed; what may pass by itself, and everything later, halts it.
fn unprepared(run: &Run, hop: usize, halt: Halt) -> Action {
    let refused = |node: NodeUid, kind: StepKind| {
        let step = run.step_id(node, hop, kind);
        let outcome = run.ledger.get(&step).and_then(StepEntry::outcome);
        matches!(outcome, Some(StepOutcome::Failed(failure)) if failure.kind == FailureKind::Operator)
    };
    match (halt.node, halt.step) {
        (Some(node), Some(kind)) if run.installs(None) == 0 && refused(node, kind) => {
            let message = format!("{node}: {}", halt.failure.message);
            release_then(run, RunEnd::Blocked(Failure { message, ..halt.failure }))
        }
        _ => Action::Halt(halt),
    }
}

fn prepare_node(
    run: &Run,
    hop: usize,
    planned: &PlannedHop,
    node: NodeUid,
    sha256: Sha256,
) -> Result<Option<StepOrder>, Halt> {
    let package = package(run, sha256).ok_or_else(|| missing_package(node, sha256))?;
    let held = run.ledger.of(node, hop, StepKind::Fetch).any(|(_, entry)| entry.completed());
    let spec = if !held {
        StepSpec::Fetch { package: package.clone(), rate_limit: None }
    } else if unpacked(run, hop, node).is_none() {
        StepSpec::Unpack { package: sha256, version: planned.to }
    } else {
        return Ok(None);
    };
    let order = order(run, node, hop, spec);
    match failure_of(run, &order.step) {
        Some(failure) => Err(Halt { node: Some(node), step: Some(order.spec.kind()), failure }),
        None => Ok(Some(order)),
    }
}

fn package(run: &Run, sha256: Sha256) -> Option<&Package> {
    run.plan.packages.iter().find(|package| package.sha256 == sha256)
}

fn missing_package(node: NodeUid, sha256: Sha256) -> Halt {
    let failure =
        Failure::bug(format!("the plan names package {sha256} for {node} but does not describe it"));
    Halt { node: Some(node), step: Some(StepKind::Fetch), failure }
}

/// The unpacked directory that no install has used: the installer deletes parts of its own tree (fact sheet §5.4).
fn unpacked(run: &Run, hop: usize, node: NodeUid) -> Option<&StepId> {
    let used = |step: &StepId| {
        run.ledger.of(node, hop, StepKind::Install).any(|(_, entry)| {
            entry.state != StepState::NeverStarted
                && !entry.refused()
                && matches!(&entry.spec, StepSpec::Install(spec) if spec.unpacked_by == *step)
        })
    };
    let mut completed = run.ledger.of(node, hop, StepKind::Unpack).filter(|(_, entry)| entry.completed());
    completed.find(|(step, _)| !used(step)).map(|(step, _)| step)
}

fn order(run: &Run, node: NodeUid, hop: usize, spec: StepSpec) -> StepOrder {
    order_as(run, run.step_id(node, hop, spec.kind()), node, hop, spec)
}

fn order_as(run: &Run, step: StepId, node: NodeUid, hop: usize, spec: StepSpec) -> StepOrder {
    match run.ledger.get(&step).filter(|entry| entry.in_flight()) {
        Some(entry) => StepOrder { step, node, hop, spec: entry.spec.clone(), new: false },
        None => StepOrder { step, node, hop, spec, new: true },
    }
}

/// Why a step ended without completing, if it did.
fn failure_of(run: &Run, step: &StepId) -> Option<Failure> {
    match run.ledger.get(step)?.outcome()? {
        StepOutcome::Completed { .. } => None,
        StepOutcome::Failed(failure) => Some(failure.clone()),
        StepOutcome::Interrupted(reason) => Some(
            Failure::operator("interrupted", format!("step {step} was cut off"), resume_text(run))
                .because(reason.clone()),
        ),
        StepOutcome::Cancelled => {
            Some(Failure::operator("cancelled", format!("step {step} was cancelled"), resume_text(run)))
        }
    }
}

fn resume_text(run: &Run) -> String {
    format!("ratchet resume {}", run.id)
}

fn during_turn(run: &Run, turn: &Turn) -> Action {
    let (node, hop) = (turn.node, turn.hop);
    let check = StepId::of(&run.id, hop, node, StepKind::Check, turn.round);
    if !run.ledger.get(&check).is_some_and(StepEntry::completed) {
        return match failure_of(run, &check) {
            Some(failure) => halt(turn, StepKind::Check, failure),
            None => Action::Execute(order_as(run, check, node, hop, StepSpec::Check)),
        };
    }
    let install = run.step_id(node, hop, StepKind::Install);
    match run.ledger.get(&install).map(|entry| &entry.state) {
        None | Some(StepState::NeverStarted) => match install_spec(run, turn) {
            Ok(spec) => Action::Execute(order(run, node, hop, StepSpec::Install(spec))),
            Err(failure) => halt(turn, StepKind::Install, failure),
        },
        Some(StepState::InFlight) => match run.ledger.get(&install) {
            Some(entry) => Action::Rejoin(order(run, node, hop, entry.spec.clone())),
            None => Action::Stand,
        },
        Some(StepState::Ended(outcome)) => after_install(run, turn, outcome),
    }
}

fn install_spec(run: &Run, turn: &Turn) -> Result<InstallSpec, Failure> {
    let missing = |what: &str| Failure::bug(format!("{} has its turn without {what}", turn.node));
    let planned = run.plan.hops.get(turn.hop).ok_or_else(|| missing("a hop"))?;
    let planned_turn = planned
        .turns
        .iter()
        .find(|planned| planned.node == turn.node)
        .ok_or_else(|| missing("a planned turn"))?;
    let node = run.plan.nodes.iter().find(|node| node.uid == turn.node).ok_or_else(|| missing("a plan"))?;
    let unpacked_by =
        unpacked(run, turn.hop, turn.node).ok_or_else(|| missing("an unpacked package"))?.clone();
    Ok(InstallSpec {
        unpacked_by,
        package: planned_turn.package,
        target: planned.to,
        expected_installed: turn.from,
        expected_role: Some(turn.role),
        args: node.install_args.clone(),
        deadline: Some(run.deadlines.install),
    })
}

/// Whatever the installer returned, the node itself is asked (promise P9). Only a refusal before it started ends the turn.
fn after_install(run: &Run, turn: &Turn, outcome: &StepOutcome) -> Action {
    if let StepOutcome::Failed(failure) = outcome {
        return halt(turn, StepKind::Install, failure.clone());
    }
    let (node, hop) = (turn.node, turn.hop);
    let Some(target) = run.plan.hops.get(hop).map(|planned| planned.to) else { return Action::Stand };
    let confirm = run.step_id(node, hop, StepKind::Confirm);
    if run.ledger.get(&confirm).is_some_and(StepEntry::completed) {
        return Action::Witness { hop, node };
    }
    match failure_of(run, &confirm) {
        Some(failure) => collect_then_halt(run, turn, unconfirmed(node, target, outcome, failure)),
        None => {
            let deadline =
                if installer_gave_up(outcome) { run.deadlines.hopeless() } else { run.deadlines.confirm };
            Action::Execute(order(run, node, hop, StepSpec::Confirm { target, deadline }))
        }
    }
}

/// Whether the installer's own log says that it failed: then there is little to wait for.
fn installer_gave_up(outcome: &StepOutcome) -> bool {
    match outcome {
        StepOutcome::Completed { report: StepReport::Install(installed), .. } => {
            !installed.log_errors.is_empty() && !installed.log_says_complete
        }
        _ => false,
    }
}

/// The turn's failure: what the node shows, with what the installer said as evidence.
fn unconfirmed(node: NodeUid, target: Version, outcome: &StepOutcome, failure: Failure) -> Failure {
    let installer = match outcome {
        StepOutcome::Completed { report: StepReport::Install(installed), .. } => {
            let mut said = format!("install.sh ended with {}", installed.exit);
            if let Some(error) = installed.log_errors.first() {
                said = format!("{said} and wrote: {error}");
            }
            format!("{said} (its whole output is in {} on the node)", installed.log_path)
        }
        StepOutcome::Interrupted(reason) => format!("the install was cut off: {reason}"),
        StepOutcome::Completed { .. } | StepOutcome::Failed(_) | StepOutcome::Cancelled => String::new(),
    };
    let seen = failure.to_string();
    let cause = if installer.is_empty() { seen } else { format!("{seen}; {installer}") };
    Failure {
        message: format!("{node} is not confirmed at {target}"),
        cause: Some(cause),
        id: "not-confirmed".to_owned(),
        ..failure
    }
}

fn collect_then_halt(run: &Run, turn: &Turn, failure: Failure) -> Action {
    let collect = run.step_id(turn.node, turn.hop, StepKind::Collect);
    if run.ledger.get(&collect).is_none_or(StepEntry::in_flight) {
        let about = run.step_id(turn.node, turn.hop, StepKind::Install);
        return Action::Execute(order_as(run, collect, turn.node, turn.hop, StepSpec::Collect { about }));
    }
    halt(turn, StepKind::Confirm, failure)
}

fn halt(turn: &Turn, step: StepKind, failure: Failure) -> Action {
    Action::Halt(Halt { node: Some(turn.node), step: Some(step), failure })
}

/// `supervisorctl restart cnm_exec` on each node, after a hop from 6.0.x to 6.2.x only (fact sheet §7.1).
fn service_restart(run: &Run) -> Option<Action> {
    let (hop, _) = run
        .plan
        .hops
        .iter()
        .enumerate()
        .find(|(hop, planned)| restarts_cnm_exec(planned) && run.hop_done(*hop))?;
    let restarted =
        |node: NodeUid| run.ledger.of(node, hop, StepKind::Restart).any(|(_, entry)| entry.completed());
    let node = run.nodes.keys().copied().find(|node| !restarted(*node))?;
    let order = order(run, node, hop, StepSpec::Restart { service: RestartableService::CnmExec });
    Some(match failure_of(run, &order.step) {
        Some(failure) => Action::Halt(Halt { node: Some(node), step: Some(StepKind::Restart), failure }),
        None => Action::Execute(order),
    })
}
