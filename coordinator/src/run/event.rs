//! What happens to a run: the words of its journal.

use std::fmt;

use jiff::Timestamp;
use proto::{
    AgentMemory, Epoch, Failure, HookOutcome, NodeRole, NodeUid, Setting, StepId, StepKind, StepOutcome,
    StepSpec, Version,
};
use serde::{Deserialize, Serialize};

use super::Retry;
use crate::fingerprint::Change;
use crate::plan::Plan;

/// One line of a run's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the journal, from 1 without a gap.
    pub seq: u64,
    /// The fencing number of the driver that wrote it.
    pub epoch: Epoch,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happens to a run. An intent is written before its effect, what came of it after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody asked for this plan to be carried out. Always the first event.
    Created {
        /// The plan.
        plan: Box<Plan>,
        /// Whether to stop after fetching and unpacking.
        prepare_only: bool,
        /// How long each kind of waiting may last.
        deadlines: super::Deadlines,
        /// Who asked.
        by: String,
    },
    /// A driver took over, at the record's epoch. Claims must be taken anew.
    Driving {
        /// Who drives.
        holder: String,
    },
    /// A node's agent gave the claim.
    Claimed {
        /// The node.
        node: NodeUid,
        /// Which memory the agent has; another one than before has forgotten what it was told. Journals of format 1
        /// did not ask.
        memory: Option<AgentMemory>,
    },
    /// A node's agent refused the claim, or could not be asked in time.
    ClaimRefused {
        /// The node.
        node: NodeUid,
        /// Why.
        failure: Failure,
    },
    /// A step is about to be sent to its agent.
    StepIntended {
        /// Its id.
        step: StepId,
        /// The node.
        node: NodeUid,
        /// The hop, counted from 0.
        hop: usize,
        /// What it is to do.
        spec: StepSpec,
    },
    /// A step ended.
    StepEnded {
        /// Its id.
        step: StepId,
        /// How.
        outcome: Box<StepOutcome>,
    },
    /// The agent says that an intended step never reached it: nothing was started.
    StepNeverStarted {
        /// Its id.
        step: StepId,
    },
    /// Something did not work and is tried again.
    Retrying(Retry),
    /// The watch over the cluster saw something that must not be (promise P4): no install may be intended until a gate
    /// has passed on a later look.
    Breached {
        /// When it was seen.
        seen_at: Timestamp,
        /// What was seen, and by whom.
        breaches: Vec<Breach>,
    },
    /// The original value of a setting, before it is changed (promise P13).
    SettingRecorded {
        /// The setting.
        setting: Setting,
        /// What it was.
        original: u64,
        /// What it is to be while the run is under way; the original itself where that is good enough.
        wanted: u64,
    },
    /// A setting has its original value again.
    SettingRestored {
        /// The setting.
        setting: Setting,
    },
    /// The gate before a turn held back; it is looked at again until it gives up.
    GateHeld {
        /// The hop.
        hop: usize,
        /// What stood in the way, one line each.
        reasons: Vec<String>,
        /// When it gives up.
        gives_up_at: Timestamp,
    },
    /// The gate before a turn passed on a fresh snapshot (promise P4).
    GatePassed {
        /// The hop.
        hop: usize,
        /// The node whose turn it is.
        node: NodeUid,
        /// The version it was seen at.
        from: Version,
        /// The role it was seen in.
        role: NodeRole,
        /// The cluster's master in that snapshot (promise P2).
        master: NodeUid,
        /// When the snapshot was taken.
        observed_at: Timestamp,
    },
    /// A node of the hop was found at the target, in a healthy cluster, without a turn of this run.
    SeenAtTarget {
        /// The hop.
        hop: usize,
        /// The node.
        node: NodeUid,
        /// The version it was seen at.
        version: Version,
    },
    /// The node is at the target and healthy, seen by itself and by others (promise P9).
    Witnessed {
        /// The hop.
        hop: usize,
        /// The node.
        node: NodeUid,
        /// Who saw it.
        by: Vec<NodeUid>,
        /// The master after the turn.
        master: NodeUid,
    },
    /// Somebody asked for something.
    Requested {
        /// What.
        request: Request,
        /// Who.
        by: String,
    },
    /// The pause took effect.
    Paused,
    /// Others than the cluster itself do not let a turn begin now: the run pauses between turns until somebody goes on
    /// with it, who is refused again if it is still so.
    NotAdmitted {
        /// Why, in one sentence.
        why: String,
        /// When turns may begin again; `None` if that is not known.
        opens_at: Option<Timestamp>,
    },
    /// Somebody else has changed how the cluster is configured: the run pauses until a person has acknowledged that.
    ForeignChange {
        /// When it was seen.
        seen_at: Timestamp,
        /// What changed.
        changes: Vec<Change>,
    },
    /// The run stands still until a person acts.
    Halted(Box<Halt>),
    /// A node's agent took the claim back, or could not be asked.
    Released {
        /// The node.
        node: NodeUid,
        /// Why it could not be asked, if so. The claim then stays until `ratchet abort` gives it back.
        trouble: Option<Failure>,
    },
    /// What the vendor's procedure leaves to a person, as the cluster was found at the end (fact sheet §7.1).
    Advised {
        /// One sentence each.
        advice: Vec<String>,
    },
    /// The operator's own hooks of a point were run. It changes nothing by itself: where one stands in the way, a halt
    /// follows.
    Hooked {
        /// What became of each, in order.
        outcomes: Vec<HookOutcome>,
    },
    /// The run is over.
    Ended(RunEnd),
}

/// Something that must not be while a run is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The agent of which node saw it.
    pub by: NodeUid,
    /// What it is about, in the product's words.
    pub subject: String,
    /// What was seen.
    pub saw: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (seen by {})", self.subject, self.saw, self.by)
    }
}

/// What a person can ask of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Stand still between turns.
    Pause,
    /// Go on.
    Resume,
    /// Go on, with the cluster configured as it was last seen.
    Acknowledge,
    /// End, leaving done nodes done.
    Abort,
    /// Give the node whose turn failed another attempt.
    Retry {
        /// The node; the failed one if not named.
        node: Option<NodeUid>,
    },
}

/// Why a run stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// On which node, if on one.
    pub node: Option<NodeUid>,
    /// In which step, if in one.
    pub step: Option<StepKind>,
    /// What failed.
    pub failure: Failure,
}

/// How a run is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// It did what it was to do.
    Done,
    /// Somebody aborted it.
    Aborted,
    /// It was refused before anything was changed.
    Blocked(Failure),
}

impl Event {
    /// A stable word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Driving { .. } => "driving",
            Self::Claimed { .. } => "claimed",
            Self::ClaimRefused { .. } => "claim_refused",
            Self::StepIntended { .. } => "step_intended",
            Self::StepEnded { .. } => "step_ended",
            Self::StepNeverStarted { .. } => "step_never_started",
            Self::Retrying(_) => "retrying",
            Self::Breached { .. } => "breached",
            Self::SettingRecorded { .. } => "setting_recorded",
            Self::SettingRestored { .. } => "setting_restored",
            Self::GateHeld { .. } => "gate_held",
            Self::GatePassed { .. } => "gate_passed",
            Self::SeenAtTarget { .. } => "seen_at_target",
            Self::Witnessed { .. } => "witnessed",
            Self::Requested { .. } => "requested",
            Self::Paused => "paused",
            Self::NotAdmitted { .. } => "not_admitted",
            Self::ForeignChange { .. } => "foreign_change",
            Self::Halted(_) => "halted",
            Self::Released { .. } => "released",
            Self::Advised { .. } => "advised",
            Self::Hooked { .. } => "hooked",
            Self::Ended(_) => "ended",
        }
    }
}
