//! The pure decision: what is due.

mod orders;
mod prepare;
pub(super) mod settings;
mod turn;

use proto::{Failure, NodeUid, RestartableService, StepKind, StepSpec};

use super::{Action, Halt, Phase, Run, RunEnd};
use crate::plan::restarts_cnm_exec;
use orders::{failure_of, order};
use prepare::prepare;
use settings::{change_settings, restore_settings};
use turn::during_turn;

/// How many turns in a row the watch may turn back before a person has to look.
const TURNED_BACK: u32 = 5;

/// The one thing that is due.
pub fn decide(run: &Run) -> Action {
    if run.phase != Phase::Active {
        return Action::Stand;
    }
    if let Some(halt) = &run.contradiction {
        return Action::Halt(halt.clone());
    }
    if let Some((node, failure)) = &run.refused {
        return after_refusal(run, *node, failure);
    }
    if run.abort_wanted && run.turn.is_none() && run.open_settings().next().is_none() {
        return release_then(run, RunEnd::Aborted);
    }
    let free = |node: &&NodeUid| !run.claimed.contains(node) && !run.released.contains(node);
    if let Some(node) = run.nodes.keys().find(free) {
        return Action::Claim(*node);
    }
    if let Some(turn) = &run.turn {
        return during_turn(run, turn);
    }
    if run.abort_wanted {
        return way_out(run, RunEnd::Aborted);
    }
    if run.pause_wanted {
        return Action::Pause;
    }
    between_turns(run)
}

/// A refused claim ends a run that has changed nothing, and halts one that has. Whoever wants to abort gets his way, if
/// there is nothing to be put back or he has said so twice.
fn after_refusal(run: &Run, node: NodeUid, failure: &Failure) -> Action {
    let nothing_open = run.open_settings().next().is_none();
    if run.abort_wanted && run.turn.is_none() && (nothing_open || run.insists_on_abort()) {
        return release_then(run, RunEnd::Aborted);
    }
    if run.installs(None) == 0 && nothing_open {
        return release_then(run, RunEnd::Blocked(failure.clone()));
    }
    Action::Halt(Halt { node: Some(node), step: None, failure: failure.clone() })
}

/// Every way out puts settings back first (promise P13), then gives the nodes back.
fn way_out(run: &Run, end: RunEnd) -> Action {
    restore_settings(run, &end).unwrap_or_else(|| release_then(run, end))
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
    if let Some(action) = prepare(run) {
        return action;
    }
    if run.prepare_only {
        return way_out(run, RunEnd::Done);
    }
    let due = service_restart(run);
    match (due, run.hop()) {
        (Some(action), _) => action,
        (None, None) => way_out(run, RunEnd::Done),
        (None, Some((hop, _))) => change_settings(run).unwrap_or_else(|| gate(run, hop)),
    }
}

/// The gate before the next turn, unless the cluster is so unsteady that a person has to look.
fn gate(run: &Run, hop: usize) -> Action {
    let Some((seen_at, breaches)) = run.breach.as_ref().filter(|_| run.turned_back >= TURNED_BACK) else {
        return Action::Gate { hop };
    };
    let message =
        format!("{} turns in a row were turned back: the cluster does not stay healthy", run.turned_back);
    let remedy = format!("see to what is named here, then: ratchet resume {}", run.id);
    let seen: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    let cause = format!("last at {seen_at:.0}: {}", seen.join("; "));
    Action::Halt(Halt {
        node: None,
        step: None,
        failure: Failure::operator("cluster-unsteady", message, remedy).because(cause),
    })
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
