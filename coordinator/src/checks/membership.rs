use std::collections::BTreeMap;

use proto::{FailureKind, NodeUid};

use super::{Check, Context, Finding, Severity, When};

/// Every node must be seen and driven, and no node of another cluster.
pub(super) const CHECK: Check = Check {
    id: "membership",
    title: "every node of the cluster has exactly one agent, and every agent answers",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (design §6; fact sheet §6 no. 12)",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Always,
    run,
};

const WHY: &str = "a node nobody can ask about is not known to be healthy, and could not be upgraded";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = silent(context);
    findings.extend(doubled(context));
    findings.extend(without_agent(context));
    findings.extend(strangers(context));
    if findings.is_empty() && context.snapshot.views().next().is_none() {
        findings.push(CHECK.cannot_tell("no agent shows which nodes the cluster has", WHY));
    }
    let nodes = context.snapshot.listed().len();
    CHECK.or_pass(findings, nodes, format!("{nodes} nodes, each with an agent that answers"))
}

/// Agents that did not answer, or do not know their node.
fn silent(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for report in &context.snapshot.agents {
        match &report.answer {
            Err(failure) => {
                let remedy = failure.remedy.clone().unwrap_or_else(|| restart(failure.kind));
                let saw = format!("the agent gave no answer: {failure}");
                findings.push(CHECK.cannot_tell(saw, WHY).by(&report.address).fix(remedy));
            }
            Ok(facts) => {
                if let Err(reason) = facts.node_uid.as_result() {
                    let saw = format!("the agent does not know which node it is on: {reason}");
                    let remedy = "run `rladmin status nodes` on that machine: is it part of the cluster?";
                    findings.push(CHECK.cannot_tell(saw, WHY).by(&report.address).fix(remedy));
                }
            }
        }
    }
    findings
}

fn restart(kind: FailureKind) -> String {
    match kind {
        FailureKind::Retry | FailureKind::Operator => {
            "systemctl status ratchet-agent   # on that machine".to_owned()
        }
        FailureKind::Bug => "journalctl -u ratchet-agent   # on that machine".to_owned(),
    }
}

fn doubled(context: &Context<'_>) -> Vec<Finding> {
    let mut agents: BTreeMap<NodeUid, Vec<&str>> = BTreeMap::new();
    for witness in context.snapshot.witnesses() {
        agents.entry(witness.uid).or_default().push(witness.agent);
    }
    let doubled = agents.iter().filter(|(_, agents)| agents.len() > 1);
    doubled
        .map(|(uid, agents)| {
            let saw = format!("several agents say they are on this node: {}", agents.join(", "));
            let why = "they are the same machine named twice, or agents of different clusters";
            CHECK.block(saw, why).on(*uid).fix("name every node's agent once in the cluster's `agents`")
        })
        .collect()
}

fn without_agent(context: &Context<'_>) -> Vec<Finding> {
    let witnesses = context.snapshot.witnesses();
    let has_agent = |uid: &NodeUid| witnesses.iter().any(|witness| witness.uid == *uid);
    let address = |uid: NodeUid| {
        context.snapshot.views().find_map(|(_, view)| view.node(uid)).map_or("", |row| row.address.as_str())
    };
    let missing = context.snapshot.listed().into_iter().filter(|uid| !has_agent(uid));
    let some_silent = witnesses.len() < context.snapshot.agents.len();
    missing.map(|uid| unseen(uid, address(uid), some_silent)).collect()
}

/// Where an agent is silent, it may be the one on this node.
fn unseen(uid: NodeUid, address: &str, some_silent: bool) -> Finding {
    if some_silent {
        let saw = format!("none of the agents that answer is on this node ({address})");
        return CHECK.cannot_tell(saw, WHY).on(uid).fix("bring the silent agents back, then ask again");
    }
    let saw = format!("the cluster lists this node ({address}), but none of the agents is on it");
    let remedy = format!("install ratchet-agent on {address} and add it to the cluster's `agents`");
    CHECK.block(saw, WHY).on(uid).fix(remedy)
}

/// Agents whose node is not in somebody's list.
fn strangers(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for witness in context.snapshot.witnesses() {
        let unlisted = context.snapshot.views().find(|(_, view)| view.node(witness.uid).is_none());
        if let Some((other, _)) = unlisted {
            let saw = format!("the cluster as {other} sees it has no such node");
            let why = "the agent is on a node of another cluster, or the nodes disagree on who belongs to it";
            let remedy = "compare `rladmin status nodes` on both, and correct the cluster's `agents`";
            findings.push(CHECK.block(saw, why).on(witness.uid).by(witness.agent).fix(remedy));
        }
    }
    findings
}
