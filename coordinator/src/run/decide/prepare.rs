//! Fetching and unpacking ahead of the turns.

use proto::{Failure, FailureKind, NodeUid, Package, Sha256, StepId, StepKind, StepOutcome, StepSpec};

use super::orders::{failure_of, order};
use super::way_out;
use crate::plan::PlannedHop;
use crate::run::{Action, Halt, Run, RunEnd, StepEntry, StepOrder, StepState};

/// Fetch and unpack, on every node and for every hop that still waits for it, side by side.
pub(super) fn prepare(run: &Run) -> Option<Action> {
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
            way_out(run, RunEnd::Blocked(Failure { message, ..halt.failure }))
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
pub(super) fn unpacked(run: &Run, hop: usize, node: NodeUid) -> Option<&StepId> {
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
