//! What all agents of a cluster said, at one moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::{ClusterName, ClusterView, Failure, NodeFacts, NodeUid, Version};
use serde::{Deserialize, Serialize};

/// What all agents of a cluster said, at one moment. Every decision is made from one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was complete, by the coordinator's clock.
    pub at: Timestamp,
    /// The cluster's name in the configuration.
    pub cluster: ClusterName,
    /// One report for every configured agent, in the configured order.
    pub agents: Vec<AgentReport>,
}

/// What one agent said, or why it did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    /// The agent's address in the configuration, `host:port`.
    pub address: String,
    /// When the answer arrived, by the coordinator's clock: the agent's own clock is compared with it.
    pub received_at: Timestamp,
    /// The facts, or why there are none.
    pub answer: Result<NodeFacts, Failure>,
}

/// An agent that answered and knows which node it is on.
#[derive(Clone, Copy, Debug)]
pub struct Witness<'a> {
    /// The node it is on.
    pub uid: NodeUid,
    /// The agent's address.
    pub agent: &'a str,
    /// What it said.
    pub facts: &'a NodeFacts,
}

impl Snapshot {
    /// The agents that answered, with their addresses, whether they know their node or not.
    pub fn answered(&self) -> impl Iterator<Item = (&str, &NodeFacts)> {
        self.agents.iter().filter_map(|report| Some((report.address.as_str(), report.answer.as_ref().ok()?)))
    }

    /// The agents that answered and know their node, by uid.
    pub fn witnesses<'a>(&'a self) -> Vec<Witness<'a>> {
        let witness = |(agent, facts): (&'a str, &'a NodeFacts)| {
            let uid = *facts.node_uid.known()?;
            Some(Witness { uid, agent, facts })
        };
        let mut witnesses: Vec<Witness<'a>> = self.answered().filter_map(witness).collect();
        witnesses.sort_by(|one, other| (one.uid, one.agent).cmp(&(other.uid, other.agent)));
        witnesses
    }

    /// The agent of a node, if exactly one agent says it is on it.
    pub fn node(&self, uid: NodeUid) -> Option<Witness<'_>> {
        let mut of_node = self.witnesses().into_iter().filter(|witness| witness.uid == uid);
        let only = of_node.next()?;
        of_node.next().is_none().then_some(only)
    }

    /// Whether a node's own agent says that it has no maintenance snapshot; `None` if that agent did not answer. One that takes
    /// no shards and has none is quorum-only (fact sheet §3.6); where snapshots cannot be listed nobody can say so.
    pub fn is_free_of_maintenance(&self, uid: NodeUid) -> Option<bool> {
        let snapshots = &self.node(uid)?.facts.snapshots;
        Some(snapshots.known().is_some_and(Vec::is_empty))
    }

    /// The address of a node's agent.
    pub fn agent_of(&self, uid: NodeUid) -> Option<&str> {
        self.node(uid).map(|witness| witness.agent)
    }

    /// Every view of the cluster that was had, with the agent it came from.
    pub fn views(&self) -> impl Iterator<Item = (&str, &ClusterView)> {
        self.answered().filter_map(|(agent, facts)| Some((agent, facts.view.known()?)))
    }

    /// The views of the agents on other nodes than this one: who else can say how a node is (promise P9).
    pub fn views_of_others(&self, uid: NodeUid) -> Vec<(NodeUid, &ClusterView)> {
        let others = self.witnesses().into_iter().filter(|witness| witness.uid != uid);
        others.filter_map(|witness| Some((witness.uid, witness.facts.view.known()?))).collect()
    }

    /// Every node that any view lists, or any agent says it is on.
    pub fn listed(&self) -> BTreeSet<NodeUid> {
        let rows = self.views().flat_map(|(_, view)| view.nodes.iter().map(|row| row.uid));
        rows.chain(self.witnesses().into_iter().map(|witness| witness.uid)).collect()
    }

    /// The master, if every configured agent answered with a view and all views name the same one.
    pub fn agreed_master(&self) -> Option<NodeUid> {
        let of_report = |report: &AgentReport| report.answer.as_ref().ok()?.view.known()?.agreed_master();
        let mut masters = self.agents.iter().map(of_report);
        let first = masters.next()??;
        masters.all(|master| master == Some(first)).then_some(first)
    }

    /// The installed version of every listed node, `None` where it is not known.
    pub fn installed(&self) -> BTreeMap<NodeUid, Option<Version>> {
        let of_node = |uid| Some(self.node(uid)?.facts.installed.known()?.version);
        self.listed().into_iter().map(|uid| (uid, of_node(uid))).collect()
    }
}

#[cfg(test)]
pub(crate) mod sample {
    //! Snapshots for tests.

    use super::*;

    /// The moment of every sample.
    pub(crate) fn noon() -> Timestamp {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    /// All agents of a healthy cluster of so many nodes, as `proto::sample` makes them.
    pub(crate) fn healthy(nodes: u32) -> Snapshot {
        let report = |uid: u32| AgentReport {
            address: format!("192.0.2.{uid}:7443"),
            received_at: noon(),
            answer: Ok(proto::sample::healthy_facts(NodeUid(uid), nodes, noon())),
        };
        Snapshot { at: noon(), cluster: "orders".parse().unwrap(), agents: (1..=nodes).map(report).collect() }
    }

    impl Snapshot {
        /// The facts of the agent in this place, counted from 0.
        pub(crate) fn facts(&mut self, index: usize) -> &mut NodeFacts {
            self.agents[index].answer.as_mut().unwrap()
        }

        /// The view of the agent in this place.
        pub(crate) fn view(&mut self, index: usize) -> &mut ClusterView {
            match &mut self.facts(index).view {
                proto::Probe::Known(view) => view,
                other => panic!("{other:?}"),
            }
        }

        /// Changes what every agent sees.
        pub(crate) fn every_view(&mut self, change: impl Fn(&mut ClusterView)) {
            (0..self.agents.len()).for_each(|index| change(self.view(index)));
        }

        /// Installs a version on a node, as it and all others see it.
        pub(crate) fn install(&mut self, uid: u32, version: Version) {
            let installed = proto::InstalledVersion { version, read_from: vec!["rladmin status".to_owned()] };
            self.facts(uid as usize - 1).installed = proto::Probe::Known(installed);
            self.every_view(|view| view.nodes[uid as usize - 1].version = Some(version));
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::{NodeRole, Probe};

    use super::*;

    #[test]
    fn a_healthy_snapshot_is_agreed_upon() {
        let snapshot = sample::healthy(3);
        assert_eq!(snapshot.agreed_master(), Some(NodeUid(1)));
        assert_eq!(snapshot.listed().len(), 3);
        assert_eq!(snapshot.views_of_others(NodeUid(2)).len(), 2);
        let json = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    }

    #[test]
    fn one_silent_or_dissenting_agent_leaves_the_master_unknown() {
        let spoil: [fn(&mut Snapshot); 4] = [
            |snapshot| snapshot.agents[2].answer = Err(Failure::retry("unreachable", "no answer")),
            |snapshot| snapshot.facts(2).view = Probe::Unknown("garbage".to_owned()),
            |snapshot| {
                snapshot.view(2).master = Some(NodeUid(2));
                snapshot.view(2).nodes[0].role = Some(NodeRole::Replica);
                snapshot.view(2).nodes[1].role = Some(NodeRole::Master);
            },
            |snapshot| snapshot.agents.clear(),
        ];
        for (index, spoil) in spoil.iter().enumerate() {
            let mut snapshot = sample::healthy(3);
            spoil(&mut snapshot);
            assert_eq!(snapshot.agreed_master(), None, "{index}");
        }
    }

    #[test]
    fn two_agents_on_one_node_are_no_agent() {
        let mut snapshot = sample::healthy(3);
        snapshot.facts(1).node_uid = Probe::Known(NodeUid(1));
        assert!(snapshot.node(NodeUid(1)).is_none());
        assert_eq!(snapshot.installed()[&NodeUid(1)], None);
        assert_eq!(snapshot.installed()[&NodeUid(2)], None, "listed, but without an agent");
    }
}
