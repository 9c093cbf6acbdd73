//! What `rollout check` answers: the calendar of a rollout that has not begun.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, WindowRow};

/// What a rollout's file would do, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutCheckDocument {
    /// `ratchet.rollout-check/1`.
    pub schema: String,
    /// The rollout's name.
    pub name: String,
    /// The version it upgrades to.
    pub target: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether there is such a rollout already, so that `apply` would go on with it.
    pub exists: bool,
    /// When turns may begin.
    pub window: WindowRow,
    /// The next windows, as long as the rollout is expected to last, at most ten.
    pub openings: Vec<OpeningRow>,
    /// Its waves, with their clusters in the order they are taken.
    pub waves: Vec<CheckedWaveRow>,
    /// When it would end; `None` if it would not within a year.
    pub ends: Option<Timestamp>,
    /// Clusters that must not be in flight together, each pair once.
    pub partners: Vec<PartnersRow>,
    /// Clusters of which it could not be told with whom, or, if the file says nothing of partners, whether they replicate:
    /// one at a time.
    pub unclear: Vec<String>,
    /// Clusters of the fleet that no wave names: never touched.
    pub unselected: Vec<String>,
    /// What is to be looked at before it is applied.
    pub findings: Vec<RolloutFindingRow>,
}

/// A window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningRow {
    /// When it opens.
    pub from: Timestamp,
    /// When it closes.
    pub until: Timestamp,
}

/// A wave and when its clusters would be upgraded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedWaveRow {
    /// Its name.
    pub name: String,
    /// Whether a person must approve it; the calendar takes that as given at once.
    pub approval: bool,
    /// How long it is watched at its end, in seconds.
    pub soak_seconds: u64,
    /// Its clusters.
    pub clusters: Vec<CheckedClusterRow>,
}

/// A cluster and when it would be upgraded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedClusterRow {
    /// Its name.
    pub name: String,
    /// How many turns it takes, as far as that is known without a plan.
    pub turns: usize,
    /// How long one is taken to last, in seconds.
    pub turn_seconds: u64,
    /// Where that is from: measured of the cluster, of the fleet, or the file's estimate.
    pub measured: String,
    /// When it would begin; `None` if not within a year.
    pub begins: Option<Timestamp>,
    /// When it would end.
    pub ends: Option<Timestamp>,
}

/// Two clusters that replicate with each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnersRow {
    /// The one.
    pub one: String,
    /// The other.
    pub other: String,
}

/// Something to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutFindingRow {
    /// A stable word.
    pub id: String,
    /// The cluster it is about, if one.
    pub cluster: Option<String>,
    /// What was found.
    pub saw: String,
    /// What to do about it.
    pub remedy: String,
}

impl Document for RolloutCheckDocument {
    const SCHEMA: &'static str = "ratchet.rollout-check/1";
}
