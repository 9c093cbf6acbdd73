//! What `export` and `prune` answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, RunState};
use crate::plan::Plan;

/// A run with everything that is kept of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportDocument {
    /// `ratchet.export/1`.
    pub schema: String,
    /// When it was written down.
    pub made_at: Timestamp,
    /// The run.
    pub run: String,
    /// The cluster it upgrades.
    pub cluster: String,
    /// The target.
    pub target: String,
    /// Where it stands.
    pub state: RunState,
    /// The plan it carries out.
    pub plan: Plan,
    /// The plan's digest: SHA-256 over its JSON.
    pub plan_digest: String,
    /// The journal as it was written.
    pub records: Vec<ExportedEvent>,
}

/// A line of a run's journal as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportedEvent {
    /// Its place in the journal.
    pub seq: u64,
    /// The fencing number of the driver that wrote it.
    pub epoch: u64,
    /// When, as it is stored.
    pub at: String,
    /// The format of the event.
    pub format: i64,
    /// The event as it is stored, for programs.
    pub event: serde_json::Value,
    /// The very text that is stored: what its digest covers.
    #[serde(default)]
    pub body: String,
    /// Its digest, which covers all events before it; empty if it was written before journals were chained.
    #[serde(default)]
    pub chain: String,
}

/// Runs that were over before a moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PruneDocument {
    /// `ratchet.prune/1`.
    pub schema: String,
    /// The moment.
    pub before: Timestamp,
    /// Whether they were removed; else they are only shown.
    pub removed: bool,
    /// Which, oldest first.
    pub runs: Vec<PrunedRow>,
    /// Others that were over by then and are kept.
    pub kept: Vec<KeptRow>,
    /// What came out, in a sentence.
    pub summary: String,
    /// Commands that are of use now.
    pub next_commands: Vec<String>,
}

/// A run that is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedRow {
    /// The run.
    pub run: String,
    /// Its cluster.
    pub cluster: String,
    /// How it ended.
    pub state: RunState,
    /// When.
    pub ended_at: Timestamp,
}

/// A run that is over and is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRow {
    /// The run.
    pub run: String,
    /// Why it is kept.
    pub why: String,
}

impl Document for ExportDocument {
    const SCHEMA: &'static str = "ratchet.export/1";
}

impl Document for PruneDocument {
    const SCHEMA: &'static str = "ratchet.prune/1";
}
