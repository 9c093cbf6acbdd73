use proto::Probe;

use super::{Check, Context, Finding, Severity, When};

/// Upgrade mode left on is the trace of an upgrade that was aborted.
pub(super) const CHECK: Check = Check {
    id: "upgrade-mode",
    title: "the cluster is not in upgrade mode",
    source: "release notes 6.4.2-30 (fact sheet §5.3 (RS77319), §6 no. 36)",
    severity: Severity::Warn,
    promise: None,
    when: When::Always,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let finding = match &witness.facts.upgrade_mode {
            // Versions without the mode cannot be in it.
            Probe::Known(false) | Probe::Unsupported(_) => continue,
            Probe::Known(true) => CHECK
                .warn(
                    "the cluster is in upgrade mode",
                    "an earlier upgrade was aborted, or somebody upgrades it now; from 6.4.2-30 on the installer may be run again",
                )
                .fix("finish the earlier upgrade, or `rladmin cluster config upgrade_mode disabled` when none is at work"),
            // The mode is a trace to be explained, not a state of health: not knowing it is worth no more than having it.
            Probe::Unknown(reason) => CHECK
                .warn(format!("whether it is in upgrade mode is not known: {reason}"), "an earlier upgrade may have been aborted")
                .fix("rladmin info cluster   # shows `upgrade mode`"),
        };
        findings.push(finding.on(witness.uid).by(witness.agent));
    }
    CHECK.or_pass(findings, witnesses.len(), "upgrade mode is off")
}
