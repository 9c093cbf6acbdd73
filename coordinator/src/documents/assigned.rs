//! What `assign` answers.

use serde::{Deserialize, Serialize};

use super::Document;

/// Where an agent that connects by itself belongs from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssignedDocument {
    /// `ratchet.assigned/1`.
    pub schema: String,
    /// The agent's name.
    pub agent: String,
    /// The cluster it belongs to; `None`: none, whatever rules say.
    pub cluster: Option<String>,
    /// The cluster it belonged to before.
    pub was: Option<String>,
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether the agent is connected to this coordinator now.
    pub connected: bool,
    /// What came out, in a sentence.
    pub summary: String,
}

impl Document for AssignedDocument {
    const SCHEMA: &'static str = "ratchet.assigned/1";
}
