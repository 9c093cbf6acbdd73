//! What `upgrade`, `prepare`, `runs`, `show`, `watch` and the verbs on a run answer.

use jiff::Timestamp;
use proto::Authenticity;
use serde::{Deserialize, Serialize};

use crate::checks::Acceptance;
use crate::fingerprint::Change;
use crate::run::RunEnd;

use super::{AgentJournalRow, Document, ErrorRow, FleetHaltRow};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A coordinator drives it.
    Running,
    /// Its coordinator went away; nobody drives it.
    Interrupted,
    /// Somebody paused it.
    Paused,
    /// Something failed; a person has to act.
    Halted,
    /// It did what it was to do.
    Done,
    /// Somebody aborted it.
    Aborted,
    /// It was refused before anything was changed.
    Blocked,
}

impl RunState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Interrupted,
        Self::Paused,
        Self::Halted,
        Self::Done,
        Self::Aborted,
        Self::Blocked,
    ];

    /// How a run stands that is over.
    pub fn of_end(end: &RunEnd) -> Self {
        match end {
            RunEnd::Done => Self::Done,
            RunEnd::Aborted => Self::Aborted,
            RunEnd::Blocked(_) => Self::Blocked,
        }
    }

    /// Its word in documents and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Done => "done",
            Self::Aborted => "aborted",
            Self::Blocked => "blocked",
        }
    }
}

/// Where a node stands in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Its turn is to come.
    Waiting,
    /// Its packages are being fetched and unpacked.
    Preparing,
    /// Its packages are ready.
    Prepared,
    /// The vendor's checks run on it.
    Checking,
    /// The installer runs on it.
    Installing,
    /// It is being watched until it is at the target and healthy.
    Confirming,
    /// It is at the target and healthy, seen by itself and by another node.
    Done,
    /// Its turn failed.
    Failed,
}

/// A run, whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunDocument {
    /// `ratchet.run/1`.
    pub schema: String,
    /// Its id.
    pub id: String,
    /// The cluster it upgrades.
    pub cluster: String,
    /// The version it upgrades to.
    pub target: String,
    /// Whether it only prepares.
    pub prepare_only: bool,
    /// Where it stands.
    pub state: RunState,
    /// What it is doing or waiting for, in a sentence.
    pub doing: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its journal was last written.
    pub updated_at: Timestamp,
    /// Who asked for what, and when; that it was asked for at all comes first.
    #[serde(default)]
    pub asked: Vec<AskedRow>,
    /// The digest of the plan it carries out: SHA-256 over its JSON.
    #[serde(default)]
    pub plan_digest: String,
    /// Who drives or last drove it.
    pub driver: String,
    /// The fencing number of that turn at driving.
    pub epoch: u64,
    /// Its hops.
    pub hops: Vec<HopRow>,
    /// Its nodes, in the order of their turns where that is known.
    pub nodes: Vec<RunNodeRow>,
    /// Why it halted or was refused.
    pub halt: Option<HaltRow>,
    /// What is being tried again.
    #[serde(default)]
    pub retries: Vec<RetryRow>,
    /// What somebody else has changed in the cluster's configuration and nobody has acknowledged.
    #[serde(default)]
    pub foreign_changes: Vec<Change>,
    /// Why others do not let its next turn begin, as long as it is paused for that.
    #[serde(default)]
    pub not_admitted: Option<NotAdmittedRow>,
    /// What stood in the way of the plan and was accepted all the same, with reasons.
    #[serde(default)]
    pub accepted: Vec<Acceptance>,
    /// Settings of the product that it changed or is about to change, and what they were before.
    #[serde(default)]
    pub settings: Vec<SettingRow>,
    /// Commands that are legal now, the likeliest first.
    pub next_commands: Vec<String>,
    /// What the vendor's procedure leaves to a person; filled when it is done.
    pub advice: Vec<String>,
    /// Its events, if they were asked for.
    pub events: Option<Vec<EventDocument>>,
    /// The journals that the nodes' agents keep of it, if they were asked for.
    pub agents: Option<Vec<AgentJournalRow>>,
    /// The exit code that fits where it stands (design §7).
    pub exit_code: u8,
}

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedRow {
    /// When it was written down.
    pub at: Timestamp,
    /// Who: an identity of the fleet, or a user and a host where nobody is told apart by certificates.
    pub by: String,
    /// For what, in a sentence.
    pub text: String,
}

/// A hop of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HopRow {
    /// The lowest version it starts from.
    pub from: String,
    /// The version it ends at.
    pub to: String,
    /// The table row that allows it.
    pub source: String,
    /// Whether all nodes are through.
    pub done: bool,
}

/// A node of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunNodeRow {
    /// Its uid.
    pub uid: u32,
    /// Its agent's address.
    pub agent: String,
    /// Its host name.
    pub hostname: String,
    /// Where it stands in the hop at work.
    pub state: NodeState,
    /// The version it was last seen at.
    pub version: String,
    /// The role it was last seen in.
    pub role: String,
    /// The step at work on it.
    pub step: Option<StepRow>,
    /// Installs started on it in this run, all hops and attempts together.
    pub installs: u32,
    /// When its turn began.
    pub turn_started_at: Option<Timestamp>,
    /// When it was confirmed.
    pub turn_ended_at: Option<Timestamp>,
    /// Who confirmed it, by uid: itself and others.
    pub witnesses: Vec<u32>,
    /// Remarks of its steps that stopped nothing.
    pub warnings: Vec<String>,
    /// What is known of who made its packages, layer by layer.
    #[serde(default)]
    pub authenticity: Vec<Authenticity>,
}

/// A step at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepRow {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Since when.
    pub since: Timestamp,
    /// What it is doing.
    pub doing: String,
    /// Bytes done, for steps that move bytes.
    pub done: u64,
    /// Bytes in all, where it is known.
    pub total: Option<u64>,
    /// Bytes a second over the last moments.
    pub rate: Option<u64>,
}

/// Why a run stands still.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HaltRow {
    /// When.
    pub at: Timestamp,
    /// On which node, if on one.
    pub node: Option<u32>,
    /// In which step, if in one.
    pub step: Option<String>,
    /// What failed, why, and the remedy.
    pub error: ErrorRow,
    /// The last lines of what the failing program printed.
    pub evidence: Vec<String>,
}

/// Something that did not work and is tried again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetryRow {
    /// What is waited for, a stable word.
    pub wait: String,
    /// On which node, if on one.
    pub node: Option<u32>,
    /// The attempt that failed, from 1.
    pub attempt: u32,
    /// Why.
    pub cause: String,
    /// When it is tried again.
    pub next_try_at: Timestamp,
    /// When it gives up.
    pub gives_up_at: Timestamp,
}

/// Why others than the cluster do not let a turn begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotAdmittedRow {
    /// In one sentence.
    pub why: String,
    /// When turns may begin again, where that is known.
    pub opens_at: Option<Timestamp>,
}

/// A setting of the product that a run changes, and puts back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingRow {
    /// The vendor's key.
    pub setting: String,
    /// What it was.
    pub original: u64,
    /// What it is while the run is under way.
    pub wanted: u64,
    /// Whether it is still to be put back.
    pub open: bool,
    /// The command that puts it back by hand, on any node.
    pub command: String,
}

/// A journaled event, or one that only passed by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventDocument {
    /// `ratchet.event/1`.
    pub schema: String,
    /// Its number in the run's journal.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The epoch it was written at.
    pub epoch: u64,
    /// Its kind, a stable word.
    pub kind: String,
    /// The node it is about, if one.
    pub node: Option<u32>,
    /// What happened, in a sentence.
    pub text: String,
}

/// One object of a `watch` stream: what is new, and where the run stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WatchDocument {
    /// `ratchet.watch/1`.
    pub schema: String,
    /// Events since the last object.
    pub events: Vec<EventDocument>,
    /// The run after them.
    pub run: RunDocument,
}

/// A run, in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// The cluster.
    pub cluster: String,
    /// The version it upgrades to.
    pub target: String,
    /// Where it stands.
    pub state: RunState,
    /// What it is doing or waiting for, in a sentence.
    pub doing: String,
    /// Nodes done and in all, of the last hop.
    pub nodes_done: u32,
    /// Nodes in all.
    pub nodes: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its journal was last written.
    pub updated_at: Timestamp,
}

/// What `runs` answers, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunsDocument {
    /// `ratchet.runs/1`.
    pub schema: String,
    /// The halt of the fleet, if there is one: then nothing begins anywhere.
    #[serde(default)]
    pub fleet_halt: Option<FleetHaltRow>,
    /// The runs.
    pub runs: Vec<RunRow>,
}

impl Document for RunDocument {
    const SCHEMA: &'static str = "ratchet.run/1";
}

impl Document for RunsDocument {
    const SCHEMA: &'static str = "ratchet.runs/1";
}

impl Document for EventDocument {
    const SCHEMA: &'static str = "ratchet.event/1";
}

impl Document for WatchDocument {
    const SCHEMA: &'static str = "ratchet.watch/1";
}
