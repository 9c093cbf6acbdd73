use std::collections::BTreeMap;

use super::{Check, Context, Finding, Severity, When};

/// The installer replaces all processes of a node, so what is not replicated stops with it.
pub(super) const CHECK: Check = Check {
    id: "replication",
    title: "all databases are replicated",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §5.3, §6 no. 14)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut databases: BTreeMap<(u32, &str), Vec<Option<bool>>> = BTreeMap::new();
    for (_, view) in context.snapshot.views() {
        for row in &view.databases {
            databases.entry((row.uid, &row.name)).or_default().push(row.replicated);
        }
    }
    let mut findings = Vec::new();
    for ((uid, name), seen) in &databases {
        if seen.iter().all(|replicated| *replicated == Some(true)) {
            continue;
        }
        let (saw, why) = if seen.contains(&Some(false)) {
            ("is not replicated", "it is not available while the nodes of its shards are upgraded")
        } else {
            ("may not be replicated: that was not shown", "it may not be available while nodes are upgraded")
        };
        let finding = CHECK.warn(format!("db:{uid} ({name}) {saw}"), why);
        findings.push(finding.fix("enable replication, or tell its users of the outage"));
    }
    CHECK.or_pass(
        findings,
        context.snapshot.views().count(),
        format!("{} databases, all replicated", databases.len()),
    )
}
