use std::collections::{BTreeMap, BTreeSet};

use proto::{ClusterView, NodeUid};

use super::{Check, Context, Finding, Severity, When};

/// Agents of two clusters can have nodes of the same uid; their addresses and names give them away.
pub(super) const CHECK: Check = Check {
    id: "one-cluster",
    title: "all agents see the same cluster",
    source: "design §6",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Always,
    run,
};

const WHY: &str =
    "the agents are of different clusters, or the cluster is split: either way no node may be touched";
const REMEDY: &str = "compare `rladmin status nodes` on these nodes, and correct the cluster's `agents`";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = unseen(context);
    findings.extend(different_members(context));
    findings.extend(not_itself(context));
    findings.extend(different_names(context));
    CHECK.or_pass(findings, context.snapshot.views().count(), "all agents list the same nodes")
}

fn unseen(context: &Context<'_>) -> Vec<Finding> {
    let unseen =
        context.snapshot.answered().filter_map(|(agent, facts)| Some((agent, facts.view.as_result().err()?)));
    let finding = |(agent, reason): (&str, &str)| {
        let saw = format!("the agent could not read the cluster's status: {reason}");
        let why = "what a node does not show is not known to be well";
        CHECK.cannot_tell(saw, why).by(agent).fix("rladmin status extra all   # on that machine")
    };
    unseen.map(finding).collect()
}

fn members(view: &ClusterView) -> BTreeSet<(NodeUid, &str, &str)> {
    view.nodes.iter().map(|row| (row.uid, row.address.as_str(), row.hostname.as_str())).collect()
}

fn different_members(context: &Context<'_>) -> Vec<Finding> {
    let mut views = context.snapshot.views();
    let Some((first_agent, first)) = views.next() else { return Vec::new() };
    let mut findings = Vec::new();
    for (agent, view) in views {
        let (ours, theirs) = (members(first), members(view));
        if let Some((uid, address, hostname)) = ours.symmetric_difference(&theirs).next() {
            let saw = format!(
                "{agent} and {first_agent} list different nodes: only one has {uid} at {address} ({hostname})"
            );
            findings.push(CHECK.block(saw, WHY).by(agent).fix(REMEDY));
        }
    }
    let rows_twice = context.snapshot.views().filter(|(_, view)| members(view).len() != view.nodes.len());
    findings.extend(
        rows_twice.map(|(agent, _)| CHECK.block("a node is listed twice", WHY).by(agent).fix(REMEDY)),
    );
    findings
}

/// An agent whose view was taken from another node than the one it says it is on.
fn not_itself(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for witness in context.snapshot.witnesses() {
        if let Some(view) = witness.facts.view.known().filter(|view| view.local != witness.uid) {
            let saw = format!(
                "the agent says it is on {}, but its `rladmin` is connected to {}",
                witness.uid, view.local
            );
            let why = "a node must speak for itself, or one node's health would be taken for another's";
            findings.push(CHECK.block(saw, why).on(witness.uid).by(witness.agent).fix(REMEDY));
        }
    }
    findings
}

fn different_names(context: &Context<'_>) -> Vec<Finding> {
    let mut agents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (agent, facts) in context.snapshot.answered() {
        if let Some(name) = facts.cluster_name.known() {
            agents.entry(name).or_default().push(agent);
        }
    }
    if agents.len() < 2 {
        return Vec::new();
    }
    let names = agents.iter().map(|(name, agents)| format!("`{name}` ({})", agents.join(", ")));
    let saw = format!("the agents name different clusters: {}", names.collect::<Vec<_>>().join("; "));
    vec![CHECK.block(saw, WHY).fix(REMEDY)]
}
