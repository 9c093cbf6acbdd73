use proto::Probe;

use super::{Check, Context, Finding, Severity, When};

/// "Maintenance mode must be off on every node"; a left-over snapshot is its trace.
pub(super) const CHECK: Check = Check {
    id: "maintenance",
    title: "no node is in maintenance mode or has a maintenance snapshot left over",
    source: "fact sheet §3.6, §6 no. 8",
    severity: Severity::Block,
    promise: None,
    when: When::Always,
    run,
};

const WHY: &str = "the vendor wants maintenance mode off before an in-place upgrade";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let finding =
            match &witness.facts.snapshots {
                Probe::Known(names) => left_over(names, witness.uid.0),
                Probe::Unknown(reason) => Some(CHECK.cannot_tell(
                    format!("whether a maintenance snapshot exists is not known: {reason}"),
                    WHY,
                )),
                Probe::Unsupported(reason) => Some(CHECK.warn(
                    format!("this version cannot list maintenance snapshots: {reason}"),
                    "maintenance mode was judged by the number of shards the node takes alone",
                )),
            };
        findings.extend(finding.map(|finding| finding.on(witness.uid).by(witness.agent)));
    }
    findings.extend(takes_no_shards(context));
    CHECK.or_pass(findings, witnesses.len(), "no node is in maintenance mode")
}

fn left_over(names: &[String], uid: u32) -> Option<Finding> {
    let name = names.first()?;
    let finding = CHECK.block(format!("it has the maintenance snapshot {name}"), WHY);
    Some(finding.fix(format!("rladmin node {uid} maintenance_mode off   # or `rladmin node {uid} snapshot delete {name}` if it is off")))
}

fn takes_no_shards(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for uid in context.snapshot.listed() {
        let rows = context.snapshot.views().filter_map(|(_, view)| view.node(uid));
        if rows.into_iter().any(|row| row.max_shards == Some(0)) {
            let saw = "it takes no shards: it is in maintenance mode or quorum-only";
            let remedy = format!("rladmin node {} maintenance_mode off", uid.0);
            findings.push(CHECK.block(saw, WHY).on(uid).fix(remedy));
        }
    }
    findings
}
