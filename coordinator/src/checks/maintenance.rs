use proto::{Fact, NodeUid, Probe};

use super::told::{CREDENTIAL, Missing, flag, is_unsupported, without_idle_pass};
use super::{Check, Context, Finding, Severity, Stage, When};
use crate::snapshot::Witness;

/// "Maintenance mode must be off on every node"; a left-over snapshot is its trace.
///
/// A node that takes no shards is in maintenance mode or quorum-only. Only where the product itself says which is the
/// second let through.
pub(super) const CHECK: Check = Check {
    id: "maintenance",
    title: "no node is in maintenance mode or has a maintenance snapshot left over",
    source: "installing-upgrading/upgrading/upgrade-cluster.md; clusters/maintenance-mode.md (fact sheet §3.6, §6 no. 8 and 42)",
    severity: Severity::Block,
    promise: None,
    when: When::Always,
    run,
};

const WHY: &str = "the vendor wants maintenance mode off before an in-place upgrade";
const SNAPSHOTS: Missing =
    Missing { why: WHY, remedy: "rladmin node N snapshot list   # N: the node's number" };

fn run(context: &Context<'_>) -> Vec<Finding> {
    let pass = "no node is in maintenance mode";
    let mut findings = CHECK.on_nodes(context, SNAPSHOTS, pass, |witness| {
        Ok(snapshots(witness)?.into_iter().chain(reported(context, witness)).collect())
    });
    findings.extend(takes_no_shards(context));
    without_idle_pass(findings)
}

fn snapshots(witness: &Witness<'_>) -> Result<Option<Finding>, String> {
    match &witness.facts.snapshots {
        Probe::Known(names) => Ok(left_over(names, witness.uid.0)),
        Probe::Unknown(reason) => {
            Err(format!("whether a maintenance snapshot exists is not known: {reason}"))
        }
        Probe::Unsupported(reason) => Ok(Some(CHECK.warn(
            format!("this version cannot list maintenance snapshots: {reason}"),
            "maintenance mode was judged by the number of shards the node takes alone",
        ))),
    }
}

fn left_over(names: &[String], uid: u32) -> Option<Finding> {
    let name = names.first()?;
    let finding = CHECK.block(format!("it has the maintenance snapshot {name}"), WHY);
    Some(finding.fix(format!("rladmin node {uid} maintenance_mode off   # or `rladmin node {uid} snapshot delete {name}` if it is off")))
}

/// What the health report says of it, whatever else is seen. At a gate nobody asks for it, and versions before 8.0.16 have
/// none; else its silence is told.
fn reported(context: &Context<'_>, witness: &Witness<'_>) -> Option<Finding> {
    match report(witness, "in_maintenance") {
        Ok(false) => None,
        Ok(true) => {
            let finding = CHECK.block("the health report says that it is in maintenance mode", WHY);
            Some(finding.fix(format!("rladmin node {} maintenance_mode off", witness.uid.0)))
        }
        Err(_) if matches!(context.stage, Stage::Gate { .. }) => None,
        Err(_) if is_unsupported(&witness.facts.details, Fact::HealthReport) => None,
        Err(reason) => {
            let saw = format!("what the cluster's health report says is not known: {reason}");
            let why = "maintenance mode was judged by snapshots and by the shards a node takes";
            Some(CHECK.info(saw, why).fix(CREDENTIAL))
        }
    }
}

fn takes_no_shards(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for uid in context.snapshot.listed() {
        let rows: Vec<_> = context.snapshot.views().filter_map(|(_, view)| view.node(uid)).collect();
        let found = if rows.iter().any(|row| row.max_shards == Some(0)) {
            idle(context, uid)
        } else if rows.is_empty() || rows.iter().any(|row| row.max_shards.is_none()) {
            let saw = "how many shards it may hold was not shown, so maintenance mode cannot be excluded";
            CHECK.cannot_tell(saw, WHY).fix("rladmin status nodes   # the column SHARDS")
        } else {
            continue;
        };
        findings.push(found.on(uid));
    }
    findings
}

fn idle(context: &Context<'_>, uid: NodeUid) -> Finding {
    let accept = "--accept maintenance=\"quorum-only\"";
    let of_node = context.snapshot.node(uid);
    if of_node.is_some_and(|witness| is_quorum_only(&witness).is_ok_and(|only| only)) {
        let why = "it is quorum-only for good, and has no maintenance snapshot";
        return CHECK.info("it takes no shards", why);
    }
    let saw = "it takes no shards: it is in maintenance mode or quorum-only";
    let off = format!("rladmin node {} maintenance_mode off", uid.0);
    CHECK.block(saw, WHY).fix(format!("{off}   # for a quorum-only node: {accept}"))
}

/// Whether a node is quorum-only for good and not because of maintenance mode, which makes it so too. The product must say
/// both: that it is quorum-only, and that it is not in maintenance mode.
fn is_quorum_only(witness: &Witness<'_>) -> Result<bool, String> {
    let shown = witness.facts.details.cell(Fact::NodeInfo, "quorum only").map(|word| word == "enabled");
    let quorum_only = match (report(witness, "quorum_only"), shown) {
        (Ok(one), Ok(other)) => one && other,
        (Ok(only), Err(_)) | (Err(_), Ok(only)) => only,
        (Err(reason), Err(_)) => return Err(reason),
    };
    let in_maintenance = match report(witness, "in_maintenance") {
        Ok(on) => on,
        // Maintenance mode keeps a snapshot for as long as it is on.
        Err(_) => !witness.facts.snapshots.as_result()?.is_empty(),
    };
    Ok(quorum_only && !in_maintenance)
}

/// What the health report says of the agent's own node.
fn report(witness: &Witness<'_>, what: &str) -> Result<bool, String> {
    match witness.facts.details.rows(Fact::HealthReport)? {
        [row] => flag(row, &format!("{}.{what}", witness.uid)),
        _ => Err("there is not one health report".to_owned()),
    }
}
