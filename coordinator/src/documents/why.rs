//! What `why` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, SettingRow};

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
}

impl Document for WhyDocument {
    const SCHEMA: &'static str = "ratchet.why/1";
}
