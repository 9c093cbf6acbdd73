//! Settings of the cluster that a run may change, and puts back.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A setting of the cluster, a number in `rladmin info cluster` and `rladmin tune cluster` (fact sheet §3.8, §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// How long the cluster waits for a lost node before it makes its replicas anew elsewhere, in seconds.
    ReplicaHaGracePeriod,
    /// How many shards of a database are upgraded at a time.
    ParallelShardsUpgrade,
}

impl Setting {
    /// All settings.
    pub const ALL: [Self; 2] = [Self::ReplicaHaGracePeriod, Self::ParallelShardsUpgrade];
}

/// The vendor's key.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReplicaHaGracePeriod => "slave_ha_grace_period",
            Self::ParallelShardsUpgrade => "parallel_shards_upgrade",
        })
    }
}
