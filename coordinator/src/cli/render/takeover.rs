//! `takeover`: who holds a cluster, and what was or would be done about it.

use comfy_table::Cell;

use super::style::{bad, bullet, caution, command, good, heading};
use super::table::{cell, table};
use super::units::{elapsed, printable};
use crate::documents::{ErrorRow, TakeoverDocument, TakeoverDriverRow, TakeoverNodeRow, TakeoverOutcome};

/// The answer.
pub fn takeover(document: &TakeoverDocument) -> String {
    let mut out = format!("{} · {}\n", heading(&document.cluster), outcome(document));
    out.push_str(&document.driver.as_ref().map(|of| driver(of, document.outcome)).unwrap_or_default());
    if let Some(run) = &document.run {
        out.push_str(&format!("  open run of this store: {run}\n"));
    }
    out.push_str(&nodes(document));
    if document.outcome == TakeoverOutcome::Needed {
        document.reasons.iter().for_each(|reason| out.push_str(&bullet("•", &printable(reason))));
        document.obstacles.iter().for_each(|obstacle| out.push_str(&in_the_way(obstacle)));
    } else {
        let errors = document.nodes.iter().filter_map(|node| node.error.as_ref());
        errors.for_each(|error| out.push_str(&bullet(&bad("✗"), &printable(&what_and_why(error)))));
    }
    out.push_str(&format!("{}\n", printable(&document.summary)));
    out.push_str(&format!("\n{}\n", heading("What you can do now")));
    document.next_commands.iter().for_each(|next| out.push_str(&bullet("$", &command(next))));
    out
}

fn in_the_way(obstacle: &ErrorRow) -> String {
    let remedy = obstacle.remedy.as_deref().unwrap_or("ratchet takeover CLUSTER");
    let text = format!("{}\ndo:  {}", printable(&what_and_why(obstacle)), command(&printable(remedy)));
    bullet(&caution("! in the way:"), &text)
}

fn what_and_why(error: &ErrorRow) -> String {
    let cause = error.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{}{cause}", error.message)
}

fn outcome(document: &TakeoverDocument) -> String {
    match document.outcome {
        TakeoverOutcome::Nothing => good("nothing to take over"),
        TakeoverOutcome::Needed => caution("held by somebody else"),
        TakeoverOutcome::Taken => good("taken over"),
        TakeoverOutcome::Partial => bad("taken over in part"),
    }
}

fn driver(driver: &TakeoverDriverRow, outcome: TakeoverOutcome) -> String {
    let lock = match (outcome, driver.holds_lock) {
        (TakeoverOutcome::Taken | TakeoverOutcome::Partial, _) => "it is no longer obeyed",
        (TakeoverOutcome::Nothing | TakeoverOutcome::Needed, true) => "its process lives and holds the lock",
        // The store says of both the same: the kernel, or the lapse of the lease, gives back what a dead process held.
        (TakeoverOutcome::Nothing | TakeoverOutcome::Needed, false) => {
            "the lease was given back, or its process is gone"
        }
    };
    let who = if driver.holder.is_empty() { "nobody knows who" } else { &driver.holder };
    format!("  driven last from this store: {} at epoch {}; {lock}\n", printable(who), driver.epoch)
}

fn nodes(document: &TakeoverDocument) -> String {
    let header = ["NODE", "AGENT", "RUN", "HELD BY", "EPOCH", "SINCE", "STEP", "THEN"];
    table(&header, document.nodes.iter().map(|node| row(node, document)).collect())
}

fn row(node: &TakeoverNodeRow, document: &TakeoverDocument) -> Vec<Cell> {
    let claim = node.claim.as_ref();
    let since = claim.map(|claim| elapsed(claim.since, document.at));
    let step = node.step.as_ref().map(|step| format!("{} {}", step.kind, elapsed(step.since, document.at)));
    let held = match (node.reachable, claim) {
        (false, _) => Some("not known"),
        (true, None) => Some("nobody"),
        (true, Some(claim)) => Some(claim.holder.as_str()),
    };
    vec![
        cell(node.uid.map(|uid| uid.to_string()).as_deref()),
        cell(Some(&node.agent)),
        cell(claim.map(|claim| claim.run.as_str())),
        cell(held),
        cell(node.highest_epoch.map(|epoch| epoch.to_string()).as_deref()),
        cell(since.as_deref()),
        cell(step.as_deref()),
        cell(then(node, document).as_deref()),
    ]
}

/// What becomes, or became, of the node.
fn then(node: &TakeoverNodeRow, document: &TakeoverDocument) -> Option<String> {
    let to = match &node.goes_to {
        Some(_) => "stays with the run",
        None => "free",
    };
    match document.outcome {
        TakeoverOutcome::Nothing => None,
        TakeoverOutcome::Needed => node.reachable.then(|| to.to_owned()),
        TakeoverOutcome::Taken | TakeoverOutcome::Partial => {
            Some(if node.taken { format!("taken: {to}") } else { "not taken".to_owned() })
        }
    }
}

#[cfg(test)]
mod tests;
