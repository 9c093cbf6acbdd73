//! The vendor's checks in the vendor's order: `rlcheck`, then the whole cluster's status, then running actions.

use proto::{Checked, ClusterView, Failure, Problem, Rlcheck};

use crate::host::{HostError, Product, with_causes};

/// What is listed of a long list of problems.
const LISTED: usize = 20;

/// Runs the checks on this node: all of them, so that whoever reads the failure sees all of it.
///
/// "Verify node operation with rlcheck and `rladmin status extra all`; do not proceed unless every shard, node and endpoint is
/// OK", and no running task (fact sheet §3.5, §6).
///
/// # Errors
/// A failure with one of the ids `rlcheck-failed`, `cluster-not-healthy`, `actions-running`, `unreadable`.
pub async fn checks(product: &Product, rlcheck_retries: u32) -> Result<Checked, Failure> {
    let rlcheck = product.rlcheck(rlcheck_retries).await.map_err(|error| unreadable("rlcheck", &error));
    let view = product.status().await.map_err(|error| unreadable("rladmin status extra all", &error));
    let actions = product.running_actions().await;
    let actions = actions.map_err(|error| unreadable("rladmin cluster running_actions", &error));
    let problems = match &view {
        Ok(view) => problems(product, view).await,
        Err(_) => Vec::new(),
    };
    let against = [
        view.as_ref().map_or_else(|failure| Some(failure.clone()), |_| not_healthy(&problems)),
        rlcheck.as_ref().map_or_else(|failure| Some(failure.clone()), rlcheck_failed),
        actions.as_ref().map_or_else(|failure| Some(failure.clone()), |actions| actions_running(actions)),
    ];
    match (together(against.into_iter().flatten().collect()), rlcheck, view) {
        (None, Ok(rlcheck), Ok(view)) => Ok(Checked { rlcheck, view }),
        (Some(failure), _, _) | (None, Err(failure), _) | (None, _, Err(failure)) => Err(failure),
    }
}

/// One failure that tells of all; the first, the cluster's own word, gives it its id and remedy.
fn together(failures: Vec<Failure>) -> Option<Failure> {
    let mut failures = failures.into_iter();
    let first = failures.next()?;
    let rest: Vec<String> = failures.map(|failure| failure.to_string()).collect();
    let causes = first.cause.iter().cloned().chain(rest).collect::<Vec<_>>().join("; and ");
    Some(first.because(causes))
}

fn rlcheck_failed(rlcheck: &Rlcheck) -> Option<Failure> {
    if rlcheck.passed {
        return None;
    }
    let remedy = "run `rlcheck --continue-on-error` on the node, mend what it names, then try again";
    let failure = Failure::operator("rlcheck-failed", "rlcheck did not pass on this node", remedy);
    Some(failure.because(list(&rlcheck.failures)))
}

/// Everything that is not OK. A node that takes no shards is, if the product says that it is quorum-only and it has no
/// maintenance snapshot (fact sheet §3.6).
async fn problems(product: &Product, view: &ClusterView) -> Vec<Problem> {
    let mut problems = view.faults();
    for uid in view.idle_nodes() {
        let why = match (product.info_node(uid).await, product.snapshots(uid).await) {
            (Ok(info), Ok(snapshots)) => {
                match (info.get("quorum only").map(String::as_str), snapshots.first()) {
                    (Some("enabled"), None) => continue,
                    (_, Some(name)) => format!("it has the maintenance snapshot {name}"),
                    (_, None) => "it is not quorum-only".to_owned(),
                }
            }
            (Err(error), _) | (_, Err(error)) => {
                format!("which of the two is not known: {}", with_causes(&error))
            }
        };
        let saw = format!("takes no shards: it is in maintenance mode or quorum-only; {why}");
        problems.push(Problem { subject: uid.to_string(), saw });
    }
    problems
}

fn not_healthy(problems: &[Problem]) -> Option<Failure> {
    let seen: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.subject, problem.saw)).collect();
    if seen.is_empty() {
        return None;
    }
    let remedy = "see `rladmin status extra all`, bring every node, shard, endpoint and database to OK, then try again";
    let message = "the cluster is not healthy, as this node sees it";
    Some(Failure::operator("cluster-not-healthy", message, remedy).because(list(&seen)))
}

fn actions_running(actions: &[String]) -> Option<Failure> {
    if actions.is_empty() {
        return None;
    }
    let remedy = "wait until `rladmin cluster running_actions` says `No active tasks`, then try again";
    let failure = Failure::operator("actions-running", "actions are running in the cluster", remedy);
    Some(failure.because(list(actions)))
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
