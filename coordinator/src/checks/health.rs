use std::collections::BTreeMap;

use proto::{NodeUid, Problem};

use super::{Check, Context, Finding, Severity, When};

/// "Do not proceed with the upgrade unless every shard, node and endpoint is OK", as every node sees it.
///
/// A shard that loads or syncs is not OK. That matters twice, because the installer's own question about such shards is
/// answered yes by `-y` (fact sheet §5.4).
pub(super) const CHECK: Check = Check {
    id: "health",
    title: "all nodes, shards, endpoints and databases are OK, as every node sees them",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §3.5, §6 no. 7)",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Always,
    run,
};

const WHY: &str = "the vendor: do not proceed unless every shard, node and endpoint is OK";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = context
        .snapshot
        .agents
        .iter()
        .filter_map(|report| {
            let reason = match &report.answer {
                Ok(facts) => facts.view.as_result().err()?.to_owned(),
                Err(failure) => failure.to_string(),
            };
            let saw = format!("this agent does not show how the cluster is: {reason}");
            let remedy =
                "rladmin status extra all   # on that node, as root; see why it gives no usable answer";
            Some(CHECK.cannot_tell(saw, WHY).by(&report.address).fix(remedy))
        })
        .collect();
    let witnesses = context.snapshot.views().count();
    findings
        .extend(problems(context).into_iter().map(|(problem, agents)| finding(&problem, &agents, witnesses)));
    CHECK.or_pass(findings, witnesses, format!("all OK, as seen by {witnesses} nodes"))
}

/// Every problem once, with the agents that see it.
fn problems<'a>(context: &Context<'a>) -> Vec<(Problem, Vec<&'a str>)> {
    let mut by_text: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (agent, view) in context.snapshot.views() {
        for problem in view.faults() {
            by_text.entry((problem.subject, problem.saw)).or_default().push(agent);
        }
    }
    by_text.into_iter().map(|((subject, saw), agents)| (Problem { subject, saw }, agents)).collect()
}

fn finding(problem: &Problem, agents: &[&str], witnesses: usize) -> Finding {
    let seen = if agents.len() == witnesses {
        "as every node sees it".to_owned()
    } else {
        format!("as seen by {}", agents.join(", "))
    };
    let finding = CHECK.block(format!("{}: {}, {seen}", problem.subject, problem.saw), WHY);
    let finding = finding.fix("rladmin status extra all   # repair or wait, then ask again");
    let node = problem.subject.strip_prefix("node:").and_then(|uid| uid.parse().ok());
    match (node, agents) {
        (Some(uid), _) => finding.on(NodeUid(uid)),
        (None, [only]) => finding.by(only),
        (None, _) => finding,
    }
}
