//! What a run needs done next.

use proto::{NodeUid, StepId, StepSpec};

use super::{Halt, RunEnd};

/// The one thing that is due. The driver performs it and appends what came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask a node's agent for the claim.
    Claim(NodeUid),
    /// Let these steps run side by side.
    Prepare(Vec<StepOrder>),
    /// Let this step run: write the intent if it is new, then send it.
    Execute(StepOrder),
    /// Find out what became of an install that was intended by a driver before this one; start nothing.
    Rejoin(StepOrder),
    /// Observe the cluster and decide whose turn it is, or that it must wait.
    Gate {
        /// The hop.
        hop: usize,
    },
    /// Observe the cluster until others see the node at the target and healthy, too.
    Witness {
        /// The hop.
        hop: usize,
        /// The node.
        node: NodeUid,
    },
    /// Write down that the run stands still, and why.
    Halt(Halt),
    /// Write down that the pause took effect.
    Pause,
    /// Ask a node's agent to take the claim back.
    Release(NodeUid),
    /// Write down that the run is over.
    End(RunEnd),
    /// Nothing: paused, halted or over.
    Stand,
}

/// A step, complete with where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOrder {
    /// Its id.
    pub step: StepId,
    /// The node.
    pub node: NodeUid,
    /// The hop.
    pub hop: usize,
    /// What it is to do.
    pub spec: StepSpec,
    /// Whether its intent has still to be written.
    pub new: bool,
}
