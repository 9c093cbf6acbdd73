//! What the verbs of `rollout` answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, ErrorRow};

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// It goes on by itself, or waits for what it names: a window, a soak, an approval.
    Active,
    /// Somebody paused it.
    Paused,
    /// More failed than its budgets allow, or the fleet is halted; a person has to act.
    Halted,
    /// Every cluster is at the target.
    Done,
    /// It went through, and clusters failed within the budgets.
    DoneWithFailures,
    /// Somebody ended it.
    Aborted,
}

/// Where a wave stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveState {
    /// Waves before it are not through.
    Waiting,
    /// It waits for a person's approval.
    WantsApproval,
    /// Its clusters are upgraded.
    Active,
    /// All of its clusters are settled; those that were upgraded are watched.
    Soaking,
    /// It is through.
    Done,
}

/// Where a cluster stands in a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutClusterState {
    /// Its turn is to come.
    Waiting,
    /// Its run is about to start, is at work, or stands still.
    InFlight,
    /// It was upgraded.
    Upgraded,
    /// It was at the target already.
    NothingToDo,
    /// Its run could not start, halted, was aborted, or it was not healthy afterwards.
    Failed,
}

/// A rollout in brief: in lists, and in every object of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRow {
    /// Its name.
    pub name: String,
    /// The version it upgrades to.
    pub target: String,
    /// Where it stands.
    pub state: RolloutState,
    /// What it does or waits for, in a sentence.
    pub waits_for: String,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// Who can unblock it.
    pub who: String,
    /// With which commands, the likeliest first.
    pub commands: Vec<String>,
    /// Since when it stands like that.
    pub since: Timestamp,
    /// The wave at work, if one is.
    pub wave: Option<String>,
    /// Clusters in all waves.
    pub total: usize,
    /// Clusters whose run is under way or stands still.
    pub in_flight: usize,
    /// Clusters that were upgraded, or had nothing to do.
    pub upgraded: usize,
    /// Clusters that failed.
    pub failed: usize,
    /// When its journal was last written.
    pub updated_at: Timestamp,
    /// The exit code that fits where it stands (design §7).
    pub exit_code: u8,
}

/// A rollout, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutDocument {
    /// `ratchet.rollout/1`.
    pub schema: String,
    /// It in brief.
    #[serde(flatten)]
    pub brief: RolloutRow,
    /// How many clusters may be in flight at a time.
    pub at_once: usize,
    /// How many clusters may fail, over all waves.
    pub failure_budget: u32,
    /// What the others do when a failure goes over a budget: `finish-turn`, `continue` or `halt`.
    pub on_failure: String,
    /// Why it stands still, if it halted.
    pub halt: Option<RolloutHaltRow>,
    /// When turns may begin.
    pub window: WindowRow,
    /// Its waves, in order.
    pub waves: Vec<WaveRow>,
    /// Its clusters, wave by wave.
    pub clusters: Vec<RolloutClusterRow>,
}

/// Why a rollout halted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutHaltRow {
    /// `budget-spent` or `fleet`.
    pub kind: String,
    /// In one sentence.
    pub why: String,
    /// The cluster whose failure it was, if one.
    pub cluster: Option<String>,
}

/// When turns may begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRow {
    /// The time zone, if the file has windows.
    pub zone: Option<String>,
    /// Whether turns may begin now, as far as windows say.
    pub open: bool,
    /// When it closes, if it is open and ever does.
    pub closes_at: Option<Timestamp>,
    /// When it opens, if it is shut and ever does.
    pub opens_at: Option<Timestamp>,
}

/// A wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRow {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: WaveState,
    /// Its clusters.
    pub clusters: usize,
    /// Those that are settled, well or not.
    pub settled: usize,
    /// Those that failed.
    pub failed: usize,
    /// How many may be in flight at a time.
    pub at_once: usize,
    /// How many may fail.
    pub failure_budget: u32,
    /// How long it is watched at its end, in seconds.
    pub soak_seconds: u64,
    /// Until when it soaks, if it does.
    pub soaks_until: Option<Timestamp>,
    /// Whether a person must approve it.
    pub approval: bool,
    /// Whether somebody has.
    pub approved: bool,
}

/// A cluster of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutClusterRow {
    /// Its name.
    pub name: String,
    /// Its wave.
    pub wave: String,
    /// Where it stands.
    pub state: RolloutClusterState,
    /// Its run, once there is one.
    pub run: Option<String>,
    /// Where its run stands, as in `ratchet.run/1`, as far as that is known.
    pub run_state: Option<String>,
    /// Why it failed.
    pub error: Option<ErrorRow>,
}

/// An event of a rollout's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutEventRow {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The epoch it was written at.
    pub epoch: u64,
    /// Its kind, a stable word.
    pub kind: String,
    /// The cluster it is about, if one.
    pub cluster: Option<String>,
    /// The run it is about, if one.
    pub run: Option<String>,
    /// What happened, in a sentence.
    pub text: String,
}

/// One object of a rollout's watch: what is new, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutWatchDocument {
    /// `ratchet.rollout-watch/1`.
    pub schema: String,
    /// Events since the last object.
    pub events: Vec<RolloutEventRow>,
    /// The rollout after them.
    pub rollout: RolloutRow,
}

/// All rollouts, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutsDocument {
    /// `ratchet.rollouts/1`.
    pub schema: String,
    /// The rollouts.
    pub rollouts: Vec<RolloutRow>,
}

impl Document for RolloutDocument {
    const SCHEMA: &'static str = "ratchet.rollout/1";
}

impl Document for RolloutWatchDocument {
    const SCHEMA: &'static str = "ratchet.rollout-watch/1";
}

impl Document for RolloutsDocument {
    const SCHEMA: &'static str = "ratchet.rollouts/1";
}
