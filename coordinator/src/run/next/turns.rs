//! Turns: from a passed gate to the witnesses.

use jiff::Timestamp;
use proto::{NodeRole, NodeUid, StepKind, Version};

use super::driving::all_claimed;
use super::steps::in_turn;
use super::{Verdict, active, progress};
use crate::run::{Run, StepEntry, Turn};

pub(super) fn between_turns(run: &Run, hop: usize) -> Verdict {
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

/// Promise P2: the master first if it waits, else the lowest uid.
pub(super) fn pass_gate(
    run: &mut Run,
    turn: Turn,
    master: NodeUid,
    observed_at: Timestamp,
    at: Timestamp,
) -> Verdict {
    between_turns(run, turn.hop)?;
    if let Some((seen_at, _)) = run.breach.as_ref().filter(|(seen_at, _)| observed_at <= *seen_at) {
        return Err(format!("the cluster was not as it must be at {seen_at}, after this look at it"));
    }
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
    run.breach = None;
    run.retries.clear();
    run.turn = Some(Turn { round, ..turn });
    Ok(())
}

pub(super) fn seen_at_target(
    run: &mut Run,
    hop: usize,
    node: NodeUid,
    version: Version,
    at: Timestamp,
) -> Verdict {
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

pub(super) fn witness(
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
    run.retries.clear();
    run.turned_back = 0;
    run.turn = None;
    Ok(())
}
