//! What the fleet is to be.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use proto::{ClusterName, Version};

use crate::certificates::Certificates;

/// How long things take on the simulated nodes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// An installation.
    pub install: Duration,
    /// Every other step.
    pub step: Duration,
}

/// What the fleet is to be.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// How many clusters; they are called `c0000`, `c0001`, …
    pub clusters: u32,
    /// How many nodes each of them has.
    pub nodes: u32,
    /// The number of the first cluster, so that several processes share a fleet.
    pub first: u32,
    /// The version all nodes are at in the beginning.
    pub from: Version,
    /// How long things take.
    pub pace: Pace,
    /// Whether the master's role goes to the next node when the master is upgraded.
    pub master_moves: bool,
    /// Clusters that have an Active-Active database in common, by their numbers.
    pub partners: Vec<(u32, u32)>,
    /// Whether nodes that are halted refuse installations, as real ones do. Without it the ledger shows what the
    /// coordinator by itself would have begun.
    pub obeys_halts: bool,
    /// With what connections are secured; without it they are plain.
    pub certificates: Option<Arc<Certificates>>,
}

impl FleetSpec {
    /// Clusters at 7.4.2-54 whose steps take no time.
    pub fn new(clusters: u32, nodes: u32) -> Self {
        Self {
            clusters,
            nodes,
            first: 0,
            from: Version::new(7, 4, 2, 54),
            pace: Pace { install: Duration::ZERO, step: Duration::ZERO },
            master_moves: false,
            partners: Vec::new(),
            obeys_halts: true,
            certificates: None,
        }
    }

    /// The numbers of the clusters.
    pub fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.clusters
    }
}

/// The name of a cluster.
pub(crate) fn cluster_name(number: u32) -> ClusterName {
    format!("c{number:04}").parse().unwrap_or_else(|_| unreachable!("letters and digits"))
}

/// The name that the product knows a cluster by.
pub(crate) fn domain(number: u32) -> String {
    format!("c{number:04}.fleet.example")
}

/// What rollouts can select a cluster by: a region and an environment.
pub(crate) fn labels(number: u32) -> BTreeMap<String, String> {
    let region = ["eu", "us", "ap"][number as usize % 3];
    let env = if number.is_multiple_of(10) { "test" } else { "prod" };
    BTreeMap::from([("region".to_owned(), region.to_owned()), ("env".to_owned(), env.to_owned())])
}

/// Each agent has a loopback address of its own, so that one listener tells them all apart.
pub(crate) fn address(cluster: u32, node: u32) -> Ipv4Addr {
    let [_, high, low, _] = (cluster << 8).to_be_bytes();
    let number = u8::try_from(node).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 64 + high, low, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_agents_share_an_address() {
        let all: Vec<_> =
            (0..3000).flat_map(|cluster| (1..=5).map(move |node| address(cluster, node))).collect();
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(all.iter().all(Ipv4Addr::is_loopback));
    }
}
