//! What a run needs done next.

use proto::{NodeUid, Setting, StepId, StepSpec};

use super::{Halt, RunEnd, Wait};

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
    /// Look what a setting is and write it down, before it is changed.
    Record(Setting),
    /// Write down that a setting has its original value again.
    Restored(Setting),
    /// Ask a node's agent to take the claim back.
    Release(NodeUid),
    /// Write down that the run is over.
    End(RunEnd),
    /// Nothing: paused, halted or over.
    Stand,
}

impl Action {
    /// What carrying it out may have to wait for. What waits for nothing only writes down what is known, or stands still
    /// because a person has to act, with the commands that are possible.
    pub fn waits(&self) -> Vec<Wait> {
        match self {
            Self::Claim(_) => vec![Wait::Claim],
            Self::Prepare(orders) => orders.iter().map(StepOrder::wait).collect(),
            Self::Execute(order) | Self::Rejoin(order) => vec![order.wait(), Wait::Reach],
            Self::Gate { .. } => vec![Wait::Gate, Wait::Hook],
            Self::Witness { .. } => vec![Wait::Witness, Wait::Hook],
            Self::Record(_) => vec![Wait::Setting],
            Self::Release(_) => vec![Wait::Release],
            Self::Halt(_) | Self::End(_) => vec![Wait::Hook],
            Self::Restored(_) | Self::Pause | Self::Stand => Vec::new(),
        }
    }
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

impl StepOrder {
    /// What is waited for while it runs.
    pub fn wait(&self) -> Wait {
        self.spec.kind().into()
    }
}
