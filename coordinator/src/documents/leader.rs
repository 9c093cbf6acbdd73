//! What `leader` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, ErrorRow};

/// Who leads the fleet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeaderDocument {
    /// `ratchet.leader/1`.
    pub schema: String,
    /// Whether the coordinator that answered is the one that leads.
    pub leads: bool,
    /// User, host and process of the coordinator that answered.
    pub answered_by: String,
    /// User, host and process of the one that leads; `None` if nobody does.
    pub holder: Option<String>,
    /// The fencing number of its turn at leading.
    pub epoch: Option<u64>,
    /// Since when it leads, as far as the one that answered knows.
    pub since: Option<Timestamp>,
    /// Where it answers others.
    pub address: Option<String>,
    /// What each of several coordinators said that were asked; empty if only one was.
    #[serde(default)]
    pub coordinators: Vec<CoordinatorRow>,
}

/// A coordinator that was asked who leads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoordinatorRow {
    /// The address it was asked at.
    pub address: String,
    /// Whether it leads; `None` if it did not answer.
    pub leads: Option<bool>,
    /// Why it did not answer.
    pub error: Option<ErrorRow>,
}

impl Document for LeaderDocument {
    const SCHEMA: &'static str = "ratchet.leader/1";
}
