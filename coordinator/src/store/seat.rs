//! What a lease is about: one cluster, or the fleet as a whole.

use proto::{ClusterName, Epoch};

use super::{LatestDriver, StoreError};

/// What somebody may have the exclusive right to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// To drive the runs of a cluster.
    Cluster(ClusterName),
    /// To lead: to drive rollouts and to watch over the fleet.
    Leader,
}

impl Seat {
    /// Its name in files and tables. No cluster can have the leader's: names begin with a letter or a digit.
    pub fn key(&self) -> &str {
        match self {
            Self::Cluster(cluster) => cluster.as_str(),
            Self::Leader => "_leader",
        }
    }

    /// Somebody else has it.
    pub fn held(&self, holder: String) -> StoreError {
        match self {
            Self::Cluster(cluster) => StoreError::Held { cluster: cluster.clone(), holder },
            Self::Leader => StoreError::Led { holder },
        }
    }

    /// Somebody else has had it since.
    pub fn fenced(&self, epoch: Epoch, latest: Option<LatestDriver>) -> StoreError {
        match self {
            Self::Cluster(cluster) => StoreError::Fenced { cluster: cluster.clone(), epoch, latest },
            Self::Leader => StoreError::Deposed { epoch, latest },
        }
    }
}
