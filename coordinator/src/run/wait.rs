//! What a run can wait for, and until when: every wait has a deadline, by type (promise P12).

use jiff::Timestamp;
use proto::{NodeUid, StepId, StepKind};
use serde::{Deserialize, Serialize};

/// Everything a run at work can wait for. [`super::Deadlines::of`] gives each its deadline; a new kind of waiting does not
/// compile without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// An agent's answer to a claim.
    Claim,
    /// The end of a download.
    Fetch,
    /// The end of an unpacking.
    Unpack,
    /// A cluster that is fit for the next turn.
    Gate,
    /// The end of the vendor's checks on a node.
    Check,
    /// The end of an installer.
    Install,
    /// A node that finds itself at the target and healthy.
    Confirm,
    /// Other agents that see it so, too.
    Witness,
    /// A bundle of logs.
    Collect,
    /// A restarted service.
    Restart,
    /// A changed setting.
    Tune,
    /// An original value that can be read, to be written down.
    Setting,
    /// An agent's answer to a release.
    Release,
    /// An agent that cannot be reached, to come back.
    Reach,
    /// The ends of the operator's own hooks at one point.
    Hook,
}

impl Wait {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Claim,
        Self::Fetch,
        Self::Unpack,
        Self::Gate,
        Self::Check,
        Self::Install,
        Self::Confirm,
        Self::Witness,
        Self::Collect,
        Self::Restart,
        Self::Tune,
        Self::Setting,
        Self::Release,
        Self::Reach,
        Self::Hook,
    ];
}

impl From<StepKind> for Wait {
    fn from(kind: StepKind) -> Self {
        match kind {
            StepKind::Fetch => Self::Fetch,
            StepKind::Unpack => Self::Unpack,
            StepKind::Check => Self::Check,
            StepKind::Install => Self::Install,
            StepKind::Confirm => Self::Confirm,
            StepKind::Collect => Self::Collect,
            StepKind::Restart => Self::Restart,
            StepKind::Tune => Self::Tune,
        }
    }
}

/// Something is tried again: which attempt failed and why, when the next one is due, and when it gives up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// What is waited for.
    pub wait: Wait,
    /// The node, if it is about one.
    pub node: Option<NodeUid>,
    /// The step, if it is about one.
    pub step: Option<StepId>,
    /// The attempt that failed, from 1.
    pub attempt: u32,
    /// Why.
    pub cause: String,
    /// When it is tried again.
    pub next_try_at: Timestamp,
    /// When it gives up.
    pub gives_up_at: Timestamp,
}
