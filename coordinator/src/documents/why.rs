//! What `why` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, FleetHaltRow, SettingRow};
use crate::checks::Severity;
use crate::fingerprint::Change;

/// What a cluster or run waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WhyDocument {
    /// `ratchet.why/1`.
    pub schema: String,
    /// The run or cluster that was asked about.
    pub subject: String,
    /// The run it is about, if there is one.
    pub run: Option<String>,
    /// One word: `nothing`, `working`, `waiting`, `paused`, `halted`, `interrupted`.
    pub verdict: String,
    /// What it waits for, in a sentence.
    pub waits_for: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when it will wait before it gives up.
    pub until: Option<Timestamp>,
    /// Who can unblock it.
    pub who: String,
    /// With which commands, the likeliest first.
    pub commands: Vec<String>,
    /// Settings of the product that are still to be put back, with the commands that do it by hand.
    #[serde(default)]
    pub settings: Vec<SettingRow>,
    /// What somebody else has changed in the cluster's configuration and nobody has acknowledged.
    #[serde(default)]
    pub foreign_changes: Vec<Change>,
    /// The halt of the fleet, if there is one: then nothing begins anywhere.
    #[serde(default)]
    pub fleet_halt: Option<FleetHaltRow>,
    /// What a check or an advisory is about, if that was asked.
    #[serde(default)]
    pub explained: Option<ExplainedRow>,
}

/// A check or an advisory, for whoever reads its id in a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedRow {
    /// `check`, `advisory` or `gate`: one of a newer table of paths that this version cannot judge.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What it is about, in a sentence.
    pub title: String,
    /// How strongly it speaks at most.
    pub severity: Severity,
    /// The promise it keeps, if one: then nobody can accept it away.
    pub promise: Option<String>,
    /// When it is asked, or which upgrades it is about.
    pub when: String,
    /// Why it matters, where that is always the same.
    pub why: Option<String>,
    /// What helps, where that is always the same.
    pub remedy: Option<String>,
    /// Where the vendor says so.
    pub source: String,
}

impl Document for WhyDocument {
    const SCHEMA: &'static str = "ratchet.why/1";
}
