//! One simulated cluster: what all its nodes see alike.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::{ClusterName, ClusterView, Health, NodeRole, NodeUid, Version};

use crate::spec::{self, FleetSpec};

/// One simulated cluster.
#[derive(Debug)]
pub struct SimCluster {
    /// Its number in the fleet.
    pub number: u32,
    /// Its name in configurations.
    pub name: ClusterName,
    /// What rollouts select it by.
    pub labels: BTreeMap<String, String>,
    /// The clusters that it shares an Active-Active database with, itself left out.
    pub partners: Vec<u32>,
    master_moves: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    versions: BTreeMap<NodeUid, Version>,
    master: NodeUid,
    ill: bool,
    fails: bool,
    silent: bool,
}

impl SimCluster {
    pub(crate) fn new(number: u32, spec: &FleetSpec) -> Self {
        let versions = (1..=spec.nodes).map(|uid| (NodeUid(uid), spec.from)).collect();
        let state = State { versions, master: NodeUid(1), ill: false, fails: false, silent: false };
        let partner = |(one, other): &(u32, u32)| match number {
            number if number == *one => Some(*other),
            number if number == *other => Some(*one),
            _ => None,
        };
        Self {
            number,
            name: spec::cluster_name(number),
            labels: spec::labels(number),
            partners: spec.partners.iter().filter_map(partner).collect(),
            master_moves: spec.master_moves,
            state: Mutex::new(state),
        }
    }

    /// From now on installations end with an error and leave their node as it was.
    pub fn fail(&self) {
        self.state().fails = true;
    }

    /// From now on its nodes see it as not well.
    pub fn make_ill(&self) {
        self.state().ill = true;
    }

    /// From now on its agents do not answer.
    pub fn silence(&self) {
        self.state().silent = true;
    }

    /// Ends everything that is wrong with it.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.ill, state.fails, state.silent) = (false, false, false);
    }

    /// The version of each node, in the order of their uids.
    pub fn versions(&self) -> Vec<Version> {
        self.state().versions.values().copied().collect()
    }

    /// Which node has the master's role.
    pub fn master(&self) -> NodeUid {
        self.state().master
    }

    pub(crate) fn version(&self, node: NodeUid) -> Option<Version> {
        self.state().versions.get(&node).copied()
    }

    pub(crate) fn role(&self, node: NodeUid) -> NodeRole {
        if self.master() == node { NodeRole::Master } else { NodeRole::Replica }
    }

    pub(crate) fn fails(&self) -> bool {
        self.state().fails
    }

    pub(crate) fn is_ill(&self) -> bool {
        self.state().ill
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.state().silent
    }

    /// A node is at another version, and its role goes on if it does so in this fleet.
    pub(crate) fn upgraded(&self, node: NodeUid, to: Version) {
        let mut state = self.state();
        state.versions.insert(node, to);
        if self.master_moves && state.master == node {
            let next = NodeUid(node.0 + 1);
            state.master = if state.versions.contains_key(&next) { next } else { NodeUid(1) };
        }
    }

    /// The cluster as one of its nodes sees it.
    pub(crate) fn view(&self, node: NodeUid) -> ClusterView {
        let state = self.state();
        let nodes = u32::try_from(state.versions.len()).unwrap_or(u32::MAX);
        let mut view = ClusterView { local: node, ..proto::sample::healthy_view(nodes) };
        view.master = Some(state.master);
        for row in &mut view.nodes {
            row.role = Some(if row.uid == state.master { NodeRole::Master } else { NodeRole::Replica });
            row.address = spec::address(self.number, row.uid.0).to_string();
            row.hostname = host_name(self.number, row.uid);
            row.version = state.versions.get(&row.uid).copied();
        }
        let endpoint = format!("redis-12000.{}:12000", spec::domain(self.number));
        view.databases.iter_mut().for_each(|database| database.endpoints = vec![endpoint.clone()]);
        if state.ill {
            let down = || Health::NotOk("down".to_owned());
            view.shards.iter_mut().for_each(|shard| shard.status = down());
        }
        view
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn host_name(cluster: u32, node: NodeUid) -> String {
    format!("n{}.{}", node.0, spec::domain(cluster))
}
