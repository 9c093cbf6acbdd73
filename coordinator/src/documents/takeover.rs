//! What `takeover` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, ErrorRow};

/// Who holds a cluster's nodes, and what was or would be done about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakeoverDocument {
    /// `ratchet.takeover/1`.
    pub schema: String,
    /// The cluster.
    pub cluster: String,
    /// When the agents were asked.
    pub at: Timestamp,
    /// What came out.
    pub outcome: TakeoverOutcome,
    /// Why there is something to take over, one sentence each; empty when there is nothing.
    pub reasons: Vec<String>,
    /// What stands in the way, and what to do about it.
    pub obstacles: Vec<ErrorRow>,
    /// Who drives or last drove the cluster from this store.
    pub driver: Option<TakeoverDriverRow>,
    /// This store's run of the cluster that is not over: claims of it stay with it.
    pub run: Option<String>,
    /// The epoch that the nodes obey from now on, once they were taken over.
    pub epoch: Option<u64>,
    /// The nodes, by uid.
    pub nodes: Vec<TakeoverNodeRow>,
    /// What came out, in a sentence.
    pub summary: String,
    /// Commands that are of use now, the likeliest first.
    pub next_commands: Vec<String>,
    /// The exit code that fits.
    pub exit_code: u8,
}

/// What came out of a take-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeoverOutcome {
    /// There is nothing to take over; nothing was changed.
    Nothing,
    /// There is something to take over, and nobody has consented; nothing was changed.
    Needed,
    /// Every node was taken over.
    Taken,
    /// Some nodes were taken over, others not.
    Partial,
}

/// Who drives or last drove a cluster from a store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakeoverDriverRow {
    /// Who.
    pub holder: String,
    /// The fencing number of that turn at driving.
    pub epoch: u64,
    /// Whether that process still holds the lock: it lives, at work or hung.
    pub holds_lock: bool,
}

/// A node, with who holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakeoverNodeRow {
    /// Its agent's address.
    pub agent: String,
    /// Its uid, where it is known.
    pub uid: Option<u32>,
    /// Whether its agent answered.
    pub reachable: bool,
    /// Who held it when it was asked; `None` if nobody did.
    pub claim: Option<TakeoverClaimRow>,
    /// The highest epoch that its agent has ever obeyed.
    pub highest_epoch: Option<u64>,
    /// The step at work on it, as its agent says.
    pub step: Option<TakeoverStepRow>,
    /// The run that the claim goes, or went, to; `None`: the node becomes free.
    pub goes_to: Option<String>,
    /// Whether it was taken over now.
    pub taken: bool,
    /// Why it could not be asked, or not be taken over.
    pub error: Option<ErrorRow>,
}

/// Who holds a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakeoverClaimRow {
    /// The run.
    pub run: String,
    /// The name that the run's coordinator has for the cluster.
    pub cluster: String,
    /// Who drives it, as they said themselves.
    pub holder: String,
    /// Its fencing number.
    pub epoch: u64,
    /// Since when, by the agent's clock.
    pub since: Timestamp,
}

/// A step at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakeoverStepRow {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Since when, by the agent's clock.
    pub since: Timestamp,
}

impl Document for TakeoverDocument {
    const SCHEMA: &'static str = "ratchet.takeover/1";
}
