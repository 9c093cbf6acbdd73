//! What `report` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, HeadRow, RunDocument};
use crate::plan::Plan;

/// A run for the record: what was planned and approved, what was accepted and why, and everything that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReportDocument {
    /// `ratchet.report/1`.
    pub schema: String,
    /// When the report was made.
    pub made_at: Timestamp,
    /// The run, with all its events.
    pub run: RunDocument,
    /// The plan it carries out, with everything the checks and advisories found.
    pub plan: Plan,
    /// The plan's digest: SHA-256 over its JSON.
    pub plan_digest: String,
    /// The end of the journal's chain; `None` if its last event is in none.
    #[serde(default)]
    pub head: Option<HeadRow>,
}

impl Document for ReportDocument {
    const SCHEMA: &'static str = "ratchet.report/1";
}
