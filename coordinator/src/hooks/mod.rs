//! The operator's own programs at fixed points of an upgrade: the coordinator's own first, then those of the nodes that
//! the point concerns. What they say becomes findings; whether those stand in the way is for whoever asks.

mod findings;

use std::time::Duration;

use futures::future::join_all;
use proto::wire::RunHooks;
use proto::{
    Authority, ClusterName, Failure, HookCall, HookNode, HookOutcome, HookPoint, HookRunner, HookSide,
    NodeUid, RunId, Version,
};

use crate::agents::Agents;
use crate::checks::Finding;
use crate::config::HooksConfig;
use crate::snapshot::Snapshot;

pub use findings::{blocking, finding};

/// The coordinator's own hooks; none where `[hooks]` names no directory. Clones share that two never run at once.
#[derive(Clone, Debug, Default)]
pub struct Hooks(Option<HookRunner>);

/// A node that is asked for its hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookedNode {
    /// Its uid, where it is known.
    pub uid: Option<NodeUid>,
    /// Its agent, `host:port`.
    pub agent: String,
}

impl Hooks {
    /// Those that a configuration names.
    pub fn of(config: Option<&HooksConfig>) -> Self {
        let runner = |config: &HooksConfig| {
            HookRunner::new(HookSide::Coordinator, config.directory.clone(), config.deadline)
        };
        Self(config.map(runner))
    }

    /// Runs the coordinator's own, all within a deadline.
    pub async fn run(&self, call: &HookCall, within: Duration) -> Vec<HookOutcome> {
        match &self.0 {
            Some(runner) => runner.run(call, within).await,
            None => Vec::new(),
        }
    }

    /// Runs those before a plan, the coordinator's own and then, side by side, those of every node that has answered.
    /// That one has not is a finding of its own.
    pub async fn before_plan(
        &self,
        agents: &Agents,
        snapshot: &Snapshot,
        target: Version,
        within: Duration,
    ) -> Vec<Finding> {
        let call = call(HookPoint::BeforePlan, &snapshot.cluster, target, None);
        let own = self.run(&call, within).await;
        let node = |(agent, facts): (&str, &proto::NodeFacts)| HookedNode {
            uid: facts.node_uid.known().copied(),
            agent: agent.to_owned(),
        };
        let nodes: Vec<HookedNode> = snapshot.answered().map(node).collect();
        let asked = nodes.iter().map(|node| async {
            let outcomes = of_node(agents, node, &call, None, within).await;
            let outcomes = outcomes.unwrap_or_else(|failure| vec![not_run(&call, node, &failure)]);
            outcomes.iter().map(|outcome| finding(outcome, Some(&node.agent))).collect::<Vec<_>>()
        });
        let of_nodes = join_all(asked).await.into_iter().flatten();
        own.iter().map(|outcome| finding(outcome, None)).chain(of_nodes).collect()
    }
}

/// What hooks of a point are run for; the rest is for the caller to add.
pub fn call(point: HookPoint, cluster: &ClusterName, target: Version, run: Option<&RunId>) -> HookCall {
    let cluster = cluster.clone();
    HookCall { point, cluster, target, run: run.cloned(), node: None, hop: None, halt: None, outcome: None }
}

/// Runs those of a node. What it answers is about that node and this point, whatever it says itself.
///
/// # Errors
/// The agent cannot be reached, or refuses.
pub async fn of_node(
    agents: &Agents,
    node: &HookedNode,
    call: &HookCall,
    authority: Option<Authority>,
    within: Duration,
) -> Result<Vec<HookOutcome>, Failure> {
    let request = RunHooks { call: told(call, node), authority, deadline: within };
    let outcomes = agents.run_hooks(&node.agent, &request).await?;
    let ours = |outcome| HookOutcome { point: call.point, side: HookSide::Node, node: node.uid, ..outcome };
    Ok(outcomes.into_iter().map(ours).collect())
}

/// Nobody knows whether the node has hooks, or what they say.
pub fn not_run(call: &HookCall, node: &HookedNode, failure: &Failure) -> HookOutcome {
    let message = format!("the hooks of agent {} were not run: {failure}", node.agent);
    let remedy =
        failure.remedy.clone().unwrap_or_else(|| "see that the node and its ratchet-agent are up".to_owned());
    told(call, node).cannot_tell(HookSide::Node, call.point.word(), message, remedy)
}

fn told(call: &HookCall, node: &HookedNode) -> HookCall {
    let node = node.uid.map(|uid| HookNode { uid, agent: node.agent.clone() });
    HookCall { node, ..call.clone() }
}
