//! Clusters as the inventory saw them last: their health, and with whom they replicate.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use proto::{ClusterName, Version};

use crate::config::ClusterConfig;
use crate::rollout::PartnerSight;
use crate::server::Core;
use crate::server::inventory::InventoryRow;

/// How many clusters are looked at at a time.
const AT_ONCE: usize = 32;

/// A cluster as it was seen last.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) at: Timestamp,
    pub(super) problems: Vec<String>,
    pub(super) partners: PartnerSight,
    /// The version of all its nodes, where it is the same and known.
    pub(super) version: Option<Version>,
    /// How many agents it has.
    pub(super) nodes: usize,
    /// How many of them answered.
    pub(super) reachable: usize,
    /// How many of them obey a halt, by whose it is.
    pub(super) halts: BTreeMap<String, usize>,
}

impl From<InventoryRow> for Sighting {
    fn from(row: InventoryRow) -> Self {
        Self {
            at: row.at,
            problems: row.problems,
            partners: row.partners.unwrap_or_else(unknown),
            version: row.version.and_then(|version| version.parse().ok()),
            nodes: row.nodes,
            reachable: row.reachable,
            halts: row.halts,
        }
    }
}

/// Nobody has told whether it replicates.
fn unknown() -> PartnerSight {
    PartnerSight { unknown: Some("no agent answered".to_owned()), ..PartnerSight::default() }
}

impl Core {
    /// A cluster as it was seen last; `None` if it was not seen yet.
    pub(super) fn sighting(&self, cluster: &ClusterName) -> Option<Sighting> {
        self.inventory.seen(cluster).map(Sighting::from)
    }

    /// With whom a cluster replicates, by a look at it now.
    pub(super) async fn look_at_partners(&self, cluster: &ClusterConfig) -> PartnerSight {
        self.look_at(cluster, None).await;
        self.sighting(&cluster.name).map_or_else(unknown, |sighting| sighting.partners)
    }

    /// Looks at these clusters, some at a time.
    pub(super) async fn look_at_all(&self, clusters: Vec<ClusterConfig>) {
        let looks = stream::iter(clusters);
        let look = |cluster: ClusterConfig| async move {
            self.look_at(&cluster, None).await;
        };
        looks.for_each_concurrent(AT_ONCE, look).await;
    }
}
