//! Claims: who may act on a node.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ClusterName, Epoch, RunId};

/// An agent's durable record of which run, at which epoch, may act on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// The cluster the run upgrades.
    pub cluster: ClusterName,
    /// The driver's fencing number.
    pub epoch: Epoch,
    /// Who drives, for people: user, host, process.
    pub holder: String,
    /// When the claim was first taken.
    pub since: Timestamp,
}

/// What a request must carry to be obeyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The run that claims the node.
    pub run: RunId,
    /// The driver's fencing number.
    pub epoch: Epoch,
}
