//! What `halt` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, ErrorRow};

/// The halt of the fleet, and who knows of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HaltDocument {
    /// `ratchet.halt/1`.
    pub schema: String,
    /// When the agents were told.
    pub at: Timestamp,
    /// The halt as it stands now; `None` if there is none, or none any more.
    pub halt: Option<FleetHaltRow>,
    /// How many agents know it now.
    pub told: usize,
    /// Agents that could not be told. They are told again as soon as they answer.
    pub untold: Vec<UntoldRow>,
    /// Runs that are not over.
    pub runs: Vec<HaltedRunRow>,
    /// 0 if every agent was told, 6 if some were not.
    pub exit_code: u8,
}

/// A halt of the whole fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetHaltRow {
    /// Who halted.
    pub by: String,
    /// Why, in their words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// An agent that could not be told of a halt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UntoldRow {
    /// Its cluster.
    pub cluster: String,
    /// Its address.
    pub agent: String,
    /// Why not.
    pub error: ErrorRow,
}

/// A run that is not over, while the fleet is halted or right after it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HaltedRunRow {
    /// Its id.
    pub run: String,
    /// Its cluster.
    pub cluster: String,
    /// `running`, `pausing`, `paused` or `halted`.
    pub state: String,
    /// The command that goes on with it, or that says what it waits for.
    pub command: Option<String>,
}

impl Document for HaltDocument {
    const SCHEMA: &'static str = "ratchet.halt/1";
}
