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

/// Why no installer may begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Who halted, for people.
    pub by: String,
    /// Why, in their words.
    pub why: String,
    /// When, by the coordinator's clock.
    pub at: Timestamp,
}

/// A halt that a node obeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeHalt {
    /// Whose: [`FLEET`](Self::FLEET), or the name of a rollout.
    pub source: String,
    /// The halt.
    pub halt: Halt,
}

impl NodeHalt {
    /// The source of the halt of the whole fleet.
    pub const FLEET: &'static str = "fleet";
}

/// What a request must carry to be obeyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The run that claims the node.
    pub run: RunId,
    /// The driver's fencing number.
    pub epoch: Epoch,
}
