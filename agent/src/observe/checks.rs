//! The vendor's checks in the vendor's order: `rlcheck`, then the whole cluster's status, then running actions.

use proto::{Checked, ClusterView, Failure, Rlcheck};

use crate::host::{HostError, Product, with_causes};

/// What is listed of a long list of problems.
const LISTED: usize = 20;

/// Runs the checks on this node; the first that does not pass ends them.
///
/// "Verify node operation with rlcheck and `rladmin status extra all`; do not proceed unless every shard, node and endpoint is
/// OK", and no running task (fact sheet §3.5, §6).
///
/// # Errors
/// A failure with one of the ids `rlcheck-failed`, `cluster-not-healthy`, `actions-running`, `unreadable`.
pub async fn checks(product: &Product, rlcheck_retries: u32) -> Result<Checked, Failure> {
    let rlcheck = product.rlcheck(rlcheck_retries).await.map_err(|error| unreadable("rlcheck", &error))?;
    if !rlcheck.passed {
        return Err(rlcheck_failed(&rlcheck));
    }
    let view = product.status().await.map_err(|error| unreadable("rladmin status extra all", &error))?;
    if let Some(failure) = not_healthy(&view) {
        return Err(failure);
    }
    let actions = product.running_actions().await;
    let actions = actions.map_err(|error| unreadable("rladmin cluster running_actions", &error))?;
    if actions.is_empty() { Ok(Checked { rlcheck, view }) } else { Err(actions_running(&actions)) }
}

fn rlcheck_failed(rlcheck: &Rlcheck) -> Failure {
    let remedy = "run `rlcheck --continue-on-error` on the node, mend what it names, then try again";
    Failure::operator("rlcheck-failed", "rlcheck did not pass on this node", remedy)
        .because(list(&rlcheck.failures))
}

fn not_healthy(view: &ClusterView) -> Option<Failure> {
    let problems = view.problems();
    let seen: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.subject, problem.saw)).collect();
    if seen.is_empty() {
        return None;
    }
    let remedy = "see `rladmin status extra all`, bring every node, shard, endpoint and database to OK, then try again";
    let message = "the cluster is not healthy, as this node sees it";
    Some(Failure::operator("cluster-not-healthy", message, remedy).because(list(&seen)))
}

fn actions_running(actions: &[String]) -> Failure {
    let remedy = "wait until `rladmin cluster running_actions` says `No active tasks`, then try again";
    Failure::operator("actions-running", "actions are running in the cluster", remedy).because(list(actions))
}

fn unreadable(command: &str, error: &HostError) -> Failure {
    let remedy =
        format!("run `{command}` as root on the node and see why it gives no usable answer, then try again");
    let mut failure = Failure::operator("unreadable", format!("`{command}` gave no usable answer"), remedy)
        .because(with_causes(error));
    if let HostError::Program(program) = error {
        failure.program = Some(program.clone());
    }
    failure
}

fn list(lines: &[String]) -> String {
    let more = lines.len().saturating_sub(LISTED);
    let text = lines.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join("; ");
    if more == 0 { text } else { format!("{text}; and {more} more") }
}
