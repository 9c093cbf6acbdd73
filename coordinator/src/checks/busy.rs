use super::{Check, Context, Finding, Severity, When};

/// One at a time: no agent may be in the middle of a step (promise P1).
pub(super) const CHECK: Check = Check {
    id: "idle",
    title: "no agent is in the middle of a step",
    source: "promise P1",
    severity: Severity::Block,
    promise: Some("P1"),
    when: When::Always,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answered: Vec<_> = context.snapshot.answered().collect();
    for (agent, facts) in &answered {
        if let Some(step) = &facts.current_step {
            let saw =
                format!("it is at work on the {} step {} since {:.0}", step.kind, step.step, step.since);
            let finding = CHECK.block(saw, "one node at a time, one step at a time").by(agent);
            let finding = finding.fix("wait for it; `ratchet runs` shows whose it is");
            findings.push(match facts.node_uid.known() {
                Some(uid) => finding.on(*uid),
                None => finding,
            });
        }
    }
    CHECK.or_pass(findings, answered.len(), "all agents are idle")
}
