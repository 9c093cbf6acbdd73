use proto::Claim;

use super::{Check, Context, Finding, Severity, Stage, When};

/// One driver: another run's claim is respected, and at a gate this run's own must be there (promise P8).
pub(super) const CHECK: Check = Check {
    id: "claim",
    title: "no other run holds a node",
    source: "promise P8",
    severity: Severity::Block,
    promise: Some("P8"),
    when: When::Always,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answered: Vec<_> = context.snapshot.answered().collect();
    for (agent, facts) in &answered {
        let finding = match (&facts.claim, context.run) {
            (Some(claim), run) if run != Some(&claim.run) => foreign(context, claim),
            (None, Some(_)) if matches!(context.stage, Stage::Gate { .. }) => lost(),
            (Some(_) | None, _) => continue,
        };
        let finding = finding.by(agent);
        findings.push(match facts.node_uid.known() {
            Some(uid) => finding.on(*uid),
            None => finding,
        });
    }
    CHECK.or_pass(findings, answered.len(), "no other run holds a node")
}

fn foreign(context: &Context<'_>, claim: &Claim) -> Finding {
    let saw = format!("{} holds it for {} since {:.0}", claim.holder, claim.run, claim.since);
    let why = "two drivers never act on one cluster";
    let (run, cluster) = (&claim.run, &context.snapshot.cluster);
    CHECK.block(saw, why).fix(format!(
        "where that run was started: ratchet abort {run}, or ratchet resume {run}; if that coordinator or its store \
         is gone for good: ratchet takeover {cluster}"
    ))
}

fn lost() -> Finding {
    let why = "without its claim this run cannot keep others away";
    CHECK.block("this run's claim on it is gone", why).fix("ratchet why RUN   # who took it, and when")
}
