//! What a take-over saw and did, as a document. Pure.

use proto::{Claim, Epoch, Failure, StepInFlight};

use super::sight::{Seen, Sight};
use super::{Moved, after};
use crate::agents::is_unreachable;
use crate::documents::{
    Document, ErrorDocument, TakeoverClaimRow, TakeoverDocument, TakeoverDriverRow, TakeoverNodeRow,
    TakeoverOutcome, TakeoverStepRow,
};

pub(super) fn document(
    sight: &Sight,
    outcome: TakeoverOutcome,
    epoch: Option<Epoch>,
    nodes: impl Iterator<Item = TakeoverNodeRow>,
) -> TakeoverDocument {
    let nodes: Vec<TakeoverNodeRow> = nodes.collect();
    let told = |failure: &Failure| ErrorDocument::from(failure).error;
    TakeoverDocument {
        schema: TakeoverDocument::SCHEMA.to_owned(),
        cluster: sight.cluster.to_string(),
        at: sight.at,
        outcome,
        reasons: sight.reasons(),
        obstacles: match outcome {
            TakeoverOutcome::Nothing | TakeoverOutcome::Needed => {
                sight.obstacles(false).iter().map(told).collect()
            }
            TakeoverOutcome::Taken | TakeoverOutcome::Partial => Vec::new(),
        },
        driver: driver(sight),
        run: sight.run.as_ref().map(|run| run.id.to_string()),
        epoch: epoch.map(|epoch| epoch.0),
        summary: summary(sight, outcome, epoch, &nodes),
        next_commands: next_commands(sight, outcome),
        exit_code: exit_code(outcome, &nodes),
        nodes,
    }
}

/// A node as it was seen.
pub(super) fn node_row(sight: &Sight, seen: &Seen) -> TakeoverNodeRow {
    TakeoverNodeRow {
        agent: seen.address.clone(),
        uid: seen.uid().map(|uid| uid.0),
        reachable: seen.answer.is_ok(),
        claim: seen.claim().map(claim_row),
        highest_epoch: seen.facts().map(|facts| facts.highest_epoch.0),
        step: seen.step().map(step_row),
        goes_to: sight.goes_to(seen).map(ToString::to_string),
        taken: false,
        error: seen.answer.as_ref().err().map(|failure| ErrorDocument::from(failure).error),
    }
}

/// A node with what became of it.
pub(super) fn moved_row(sight: &Sight, seen: &Seen, moved: &Moved) -> TakeoverNodeRow {
    let row = node_row(sight, seen);
    match moved {
        Moved::Taken => TakeoverNodeRow { taken: true, ..row },
        Moved::Failed(failure) => {
            let message = format!("{}: {}", seen.name(), failure.message);
            let told = Failure { message, ..failure.clone() };
            let error = Some(ErrorDocument::from(&told).error);
            TakeoverNodeRow { reachable: !is_unreachable(failure), error, ..row }
        }
        Moved::NotAsked => {
            let message = format!("{} was not asked, because a node before it refused", seen.name());
            let failure = Failure::retry("not-asked", message);
            TakeoverNodeRow { error: Some(ErrorDocument::from(&failure).error), ..row }
        }
    }
}

fn claim_row(claim: &Claim) -> TakeoverClaimRow {
    TakeoverClaimRow {
        run: claim.run.to_string(),
        cluster: claim.cluster.to_string(),
        holder: claim.holder.clone(),
        epoch: claim.epoch.0,
        since: claim.since,
    }
}

fn step_row(step: &StepInFlight) -> TakeoverStepRow {
    TakeoverStepRow { id: step.step.to_string(), kind: step.kind.to_string(), since: step.since }
}

fn driver(sight: &Sight) -> Option<TakeoverDriverRow> {
    let epoch = sight.latest.as_ref().map_or(0, |latest| latest.epoch.0);
    let latest = sight.latest.as_ref().map(|latest| latest.holder.clone());
    let holder = sight.holder.clone().or(latest)?;
    Some(TakeoverDriverRow { holder, epoch, holds_lock: sight.holder.is_some() })
}

fn summary(
    sight: &Sight,
    outcome: TakeoverOutcome,
    epoch: Option<Epoch>,
    nodes: &[TakeoverNodeRow],
) -> String {
    let cluster = &sight.cluster;
    let epoch = epoch.unwrap_or_default();
    match outcome {
        TakeoverOutcome::Nothing if nodes.iter().any(|node| !node.reachable) => {
            format!("nothing to take over on the nodes of {cluster} that answer; not all of them do")
        }
        TakeoverOutcome::Nothing => format!("there is nothing to take over on {cluster}"),
        TakeoverOutcome::Needed => {
            format!("{cluster} can be taken over: {}; nothing was changed", would_go(sight))
        }
        TakeoverOutcome::Taken => {
            format!("{cluster} is taken over at epoch {epoch}: {}", would_go(sight))
        }
        TakeoverOutcome::Partial => {
            let taken = nodes.iter().filter(|node| node.taken).count();
            let which: Vec<&str> =
                nodes.iter().filter(|node| !node.taken).map(|node| node.agent.as_str()).collect();
            format!(
                "{taken} of {} nodes of {cluster} are taken over at epoch {epoch}; not {}. The driver before can start \
                 nothing on the others; go on with the same command",
                nodes.len(),
                which.join(", ")
            )
        }
    }
}

/// Where the claims go.
fn would_go(sight: &Sight) -> String {
    let answered = sight.nodes.iter().filter(|seen| seen.answer.is_ok());
    let (stay, free): (Vec<&Seen>, Vec<&Seen>) = answered.partition(|seen| sight.goes_to(seen).is_some());
    let mut parts = Vec::new();
    if let Some(run) = sight.run.as_ref().filter(|_| !stay.is_empty()) {
        parts.push(format!("{} of {} nodes go to run {}", stay.len(), sight.nodes.len(), run.id));
    }
    if !free.is_empty() {
        parts.push(format!("{} of {} nodes become free", free.len(), sight.nodes.len()));
    }
    parts.join(", ")
}

fn next_commands(sight: &Sight, outcome: TakeoverOutcome) -> Vec<String> {
    let again = format!("ratchet takeover {}", sight.cluster);
    match outcome {
        TakeoverOutcome::Nothing | TakeoverOutcome::Taken => after(sight),
        TakeoverOutcome::Partial => vec![again.clone(), format!("{again} --yes")],
        TakeoverOutcome::Needed if sight.obstacles(true).is_empty() && !sight.obstacles(false).is_empty() => {
            vec![again.clone(), format!("{again} --yes --despite-install")]
        }
        TakeoverOutcome::Needed if sight.obstacles(false).is_empty() => vec![format!("{again} --yes")],
        TakeoverOutcome::Needed => vec![again],
    }
}

/// Blocked while consent is missing; an agent that does not answer is never a success.
fn exit_code(outcome: TakeoverOutcome, nodes: &[TakeoverNodeRow]) -> u8 {
    let all_answer = nodes.iter().all(|node| node.reachable);
    match outcome {
        TakeoverOutcome::Needed => 3,
        TakeoverOutcome::Partial if all_answer => 4,
        TakeoverOutcome::Nothing | TakeoverOutcome::Partial if !all_answer => 6,
        TakeoverOutcome::Nothing | TakeoverOutcome::Partial | TakeoverOutcome::Taken => 0,
    }
}
