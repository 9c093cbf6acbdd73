use proto::Probe;

use super::{Check, Context, Finding, Severity, Stage, When};

/// `rlcheck` passes on every node.
///
/// At a gate its answers count where they were asked for; the node whose turn it is runs it again as its `check` step.
pub(super) const CHECK: Check = Check {
    id: "rlcheck",
    title: "`rlcheck` passes on every node",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §2, §6 no. 6)",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Always,
    run,
};

const WHY: &str = "the vendor asks for a clean `rlcheck` on every node before an upgrade";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    let gate = matches!(context.stage, Stage::Gate { .. });
    for witness in &witnesses {
        let finding = match &witness.facts.rlcheck {
            Some(Probe::Known(rlcheck)) if rlcheck.passed && rlcheck.failures.is_empty() => continue,
            Some(Probe::Known(rlcheck)) => {
                CHECK.block(format!("it failed: {}", rlcheck.failures.join("; ")), WHY)
            }
            Some(Probe::Unknown(reason) | Probe::Unsupported(reason)) => {
                CHECK.cannot_tell(format!("it gave no answer: {reason}"), WHY)
            }
            None if gate => continue,
            None => CHECK.cannot_tell("it was not asked for", WHY),
        };
        let remedy = "/opt/redislabs/bin/rlcheck --continue-on-error   # on that node";
        findings.push(finding.on(witness.uid).by(witness.agent).fix(remedy));
    }
    CHECK.or_pass(findings, witnesses.len(), "nothing that was asked for failed")
}
