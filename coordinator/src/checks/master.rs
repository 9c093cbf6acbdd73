use super::{Check, Context, Finding, Severity, When};

/// "Upgrade the primary node first": it must be known which one that is.
pub(super) const CHECK: Check = Check {
    id: "master",
    title: "all agents see the same node as the cluster's master",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §6 no. 13)",
    severity: Severity::Block,
    promise: Some("P2"),
    when: When::Always,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    if let Some(master) = context.snapshot.agreed_master() {
        return vec![CHECK.pass(format!("all agents see {master} as the master")).on(master)];
    }
    let seen = context.snapshot.agents.iter().map(|report| {
        let view = report.answer.as_ref().ok().and_then(|facts| facts.view.known());
        match view.and_then(|view| view.agreed_master()) {
            Some(master) => format!("{} sees {master}", report.address),
            None => format!("{} does not tell", report.address),
        }
    });
    let seen: Vec<String> = seen.collect();
    let saw = if seen.is_empty() { "there is no agent".to_owned() } else { seen.join(", ") };
    let why = "the master is upgraded first, so all nodes must agree on which one it is";
    vec![CHECK.cannot_tell(saw, why).fix("rladmin cluster master   # on every node, until all say the same")]
}
