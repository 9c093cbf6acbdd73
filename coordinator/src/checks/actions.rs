use super::{Check, Context, Finding, Severity, When};

/// No task may run: the vendor wants cluster operations avoided, and the installer refuses while a state machine runs.
pub(super) const CHECK: Check = Check {
    id: "actions",
    title: "no task is running in the cluster",
    source: "installing-upgrading/upgrading/upgrade-cluster.md; release-notes/rs-7-8-releases/rs-7-8-4-66.md (fact sheet §5.3 (RS103760), §6 no. 11)",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Always,
    run,
};

const WHY: &str = "a running task and an upgrade disturb each other";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let finding = match witness.facts.running_actions.as_result().map(Vec::as_slice) {
            Ok([]) => continue,
            Ok(tasks) => CHECK.block(format!("running: {}", tasks.join("; ")), WHY),
            Err(reason) => CHECK.cannot_tell(format!("whether a task runs is not known: {reason}"), WHY),
        };
        let remedy = "rladmin cluster running_actions   # until it says `No active tasks`";
        findings.push(finding.on(witness.uid).by(witness.agent).fix(remedy));
    }
    CHECK.or_pass(findings, witnesses.len(), "no task is running")
}
