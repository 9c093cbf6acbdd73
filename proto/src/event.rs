//! What a step tells while it runs, and how it ended.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Authenticity, ClusterView, Failure, InstalledVersion, Rlcheck, StepId, StepKind};

/// One event of one step. Numbers start at 1 and leave no gap, so a broken stream is joined again where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEvent {
    /// The step.
    pub step: StepId,
    /// Its place in the step's history.
    pub seq: u64,
    /// The agent's clock.
    pub at: Timestamp,
    /// What happened.
    pub what: StepProgress,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepProgress {
    /// It began, or went on after the agent was away.
    Started {
        /// Whether an earlier agent process had begun it.
        resumed: bool,
    },
    /// So far.
    Moved {
        /// What is being done, for people.
        doing: String,
        /// Bytes done.
        done: u64,
        /// Bytes in all, where it is known.
        total: Option<u64>,
    },
    /// A line of a program's output.
    Output(String),
    /// It did not work out and is tried again.
    Retry {
        /// What failed.
        cause: String,
        /// When it is tried next.
        next_at: Timestamp,
        /// When it is given up.
        gives_up_at: Timestamp,
    },
    /// It ended. The last event of a step.
    Finished(Box<StepOutcome>),
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It did what it was to do. For an install: the installer ended by itself; whether the node is upgraded is for
    /// `confirm` to see (promise P9).
    Completed {
        /// What it found or made.
        report: StepReport,
        /// Remarks for people that stop nothing.
        warnings: Vec<String>,
    },
    /// It could not.
    Failed(Failure),
    /// It was cut off, by a reboot or a kill, and nobody knows how far it got.
    Interrupted(String),
    /// It was stopped on request.
    Cancelled,
}

/// What a completed step found or made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepReport {
    /// The package is held.
    Fetch {
        /// Its size in bytes.
        size: u64,
        /// Where it came from; empty if it was held already.
        source: String,
    },
    /// It is unpacked.
    Unpack {
        /// Files.
        files: u64,
        /// Their bytes.
        size: u64,
        /// What is known of who made the package, layer by layer; empty in journals of before there were layers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        authenticity: Vec<Authenticity>,
    },
    /// The vendor's checks all passed.
    Check(Checked),
    /// The installer ended by itself or at its deadline.
    Install(Installed),
    /// The node is at the target and healthy.
    Confirm {
        /// What is installed, and who says so.
        installed: InstalledVersion,
        /// The checks that passed.
        checked: Checked,
    },
    /// The bundle is written.
    Collect {
        /// Its path on the node.
        path: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The service is restarted.
    Restart,
    /// The setting has the value.
    Tune {
        /// Its value, read back from the product.
        now: u64,
    },
}

/// A step's journal as its agent has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHistory {
    /// The step.
    pub step: StepId,
    /// Its kind.
    pub kind: StepKind,
    /// When the agent was given it, by the agent's clock.
    pub accepted_at: Timestamp,
    /// Whether it has ended.
    pub ended: bool,
    /// Bytes of damaged lines that were cut off the journal's end; `None`: it was whole.
    pub cut_bytes: Option<u64>,
    /// What happened, in order. Of the lines of output and of the progress only the last few are here: the numbers
    /// leave gaps.
    pub events: Vec<StepEvent>,
}

/// What the vendor's checks said on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// `rlcheck`.
    pub rlcheck: Rlcheck,
    /// The cluster as the node sees it.
    pub view: ClusterView,
}

/// How the installer ended: evidence, not the verdict (fact sheet §5.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// How its process ended.
    pub exit: Exit,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether its log ends the way a finished installation does.
    pub log_says_complete: bool,
    /// Lines of its log that tell of errors.
    pub log_errors: Vec<String>,
    /// Where its whole output is on the node.
    pub log_path: String,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// By us, at its deadline.
    Deadline,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::Deadline => f.write_str("killed at its deadline"),
        }
    }
}
