//! What happens to a rollout: the words of its journal.

use jiff::Timestamp;
use proto::{ClusterName, Epoch, Failure, RunId, Version};
use serde::{Deserialize, Serialize};

use super::Spec;

/// The format that events are written in. An event is never rewritten: one that an older reader would misread is a new
/// format.
pub const FORMAT: i64 = 1;

/// One line of a rollout's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the journal, from 1 without a gap.
    pub seq: u64,
    /// The fencing number of the leader that wrote it.
    pub epoch: Epoch,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happens to a rollout. An intent is written before its effect, what came of it after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody applied the file: the first event, and once more whenever the file has changed since. Which clusters are
    /// in which wave is settled here, so that a cluster that is added to the fleet later is not touched.
    Applied {
        /// What the file says.
        spec: Box<Spec>,
        /// The clusters of each wave, in the order of the waves.
        waves: Vec<Vec<ClusterName>>,
        /// Who.
        by: String,
    },
    /// A wave that needs it waits for a person's approval.
    ApprovalWanted {
        /// The wave, counted from 0.
        wave: usize,
    },
    /// A wave begins.
    WaveBegun {
        /// The wave, counted from 0.
        wave: usize,
    },
    /// A run is about to be started, under an id that is settled here: started at most once.
    Starting {
        /// The cluster.
        cluster: ClusterName,
        /// The run's id.
        run: RunId,
    },
    /// A cluster of the wave needs no run, or its run is over, or it failed.
    Settled {
        /// The cluster.
        cluster: ClusterName,
        /// Its run, if one was started.
        run: Option<RunId>,
        /// How.
        outcome: Outcome,
    },
    /// A cluster that had failed is taken up again: its failure is given back to the budgets.
    TakenUp {
        /// The cluster.
        cluster: ClusterName,
        /// Its run that goes on; `None` if it is to be started anew.
        run: Option<RunId>,
        /// How many events that run's journal had: what it does after that is seen as what came of this.
        events: u64,
        /// Why.
        why: String,
    },
    /// All clusters of the wave are settled; from now on those that were upgraded must stay healthy.
    SoakBegun {
        /// The wave, counted from 0.
        wave: usize,
        /// When it is over.
        until: Timestamp,
    },
    /// A cluster that was upgraded was seen not to be well while its wave soaks. At the next look it recovers, or fails.
    Unhealthy {
        /// The cluster.
        cluster: ClusterName,
        /// When it was looked at.
        at: Timestamp,
        /// What was not well.
        problems: Vec<String>,
    },
    /// It was well at the next look.
    Recovered {
        /// The cluster.
        cluster: ClusterName,
    },
    /// The wave has soaked.
    Soaked {
        /// The wave, counted from 0.
        wave: usize,
    },
    /// No turn may begin until the window opens again; runs in flight pause between turns by themselves.
    WindowClosed {
        /// When it opens again; `None` if it never does.
        opens_at: Option<Timestamp>,
    },
    /// Turns may begin again.
    WindowOpened {
        /// When it closes; `None` if it never does.
        closes_at: Option<Timestamp>,
    },
    /// Somebody asked for something.
    Requested {
        /// What.
        request: Request,
        /// Who.
        by: String,
        /// The number of the request in the store: those up to it are taken.
        number: i64,
    },
    /// What somebody asked for could not be honoured, and never will be.
    Refused {
        /// What.
        request: Request,
        /// Who.
        by: String,
        /// The number of the request in the store: those up to it are taken.
        number: i64,
        /// Why.
        why: String,
    },
    /// It stands still until a person goes on with it.
    Halted(Box<HaltWhy>),
    /// The pause took effect.
    Paused,
    /// It goes on.
    Resumed,
    /// It is over.
    Ended(RolloutEnd),
}

impl Event {
    /// The word it is stored under.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::ApprovalWanted { .. } => "approval_wanted",
            Self::WaveBegun { .. } => "wave_begun",
            Self::Starting { .. } => "starting",
            Self::Settled { .. } => "settled",
            Self::TakenUp { .. } => "taken_up",
            Self::SoakBegun { .. } => "soak_begun",
            Self::Unhealthy { .. } => "unhealthy",
            Self::Recovered { .. } => "recovered",
            Self::Soaked { .. } => "soaked",
            Self::WindowClosed { .. } => "window_closed",
            Self::WindowOpened { .. } => "window_opened",
            Self::Requested { .. } => "requested",
            Self::Refused { .. } => "refused",
            Self::Halted(_) => "halted",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Ended(_) => "ended",
        }
    }
}

/// What became of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its run is done.
    Upgraded,
    /// It was at the target already.
    NothingToDo {
        /// The version it is at.
        version: Version,
    },
    /// It could not be begun, halted, was aborted, or was not healthy while its wave soaked. Spends the budgets.
    Failed(Failure),
}

/// What people ask of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Start nothing more, and let runs in flight pause between turns.
    Pause,
    /// Go on after a pause or a halt.
    Resume,
    /// End it: runs in flight are aborted before their next install.
    Abort,
    /// Approve a wave.
    Approve {
        /// The wave, counted from 0.
        wave: usize,
    },
    /// Take up a cluster that failed again; all of them if none is named.
    Retry {
        /// The cluster.
        cluster: Option<ClusterName>,
    },
}

/// Why a rollout stands still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaltWhy {
    /// More clusters failed than the budget allows.
    BudgetSpent {
        /// The cluster whose failure went over it.
        cluster: ClusterName,
        /// The wave whose budget it was; `None` if it was the one in all.
        wave: Option<usize>,
        /// How its failure is told.
        failure: Failure,
    },
    /// The whole fleet was halted.
    Fleet {
        /// By whom, and why.
        why: String,
    },
}

/// How a rollout is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutEnd {
    /// Every cluster is at the target.
    Done,
    /// It went through, and clusters failed within the budgets.
    DoneWithFailures,
    /// Somebody ended it.
    Aborted,
}
