//! One turn: check, install, confirm, witnesses.

use proto::{Failure, InstallSpec, NodeUid, StepId, StepKind, StepOutcome, StepReport, StepSpec, Version};

use super::orders::{failure_of, order, order_as};
use super::prepare::unpacked;
use crate::run::{Action, Halt, Run, StepEntry, StepState, Turn};

pub(super) fn during_turn(run: &Run, turn: &Turn) -> Action {
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
