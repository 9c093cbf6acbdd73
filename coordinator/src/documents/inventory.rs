//! What `inventory` answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, FleetHaltRow};

/// Every cluster as it was seen last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InventoryDocument {
    /// `ratchet.inventory/1`.
    pub schema: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// The halt of the fleet, if there is one.
    pub fleet_halt: Option<FleetHaltRow>,
    /// One row a cluster, as configured.
    pub clusters: Vec<InventoryClusterRow>,
    /// Agents that connect by themselves and belong to no cluster.
    pub unassigned: Vec<UnassignedRow>,
}

/// A cluster as it was seen last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InventoryClusterRow {
    /// Its name.
    pub name: String,
    /// When it was seen; `None` if it was not yet: then nothing below is known.
    pub seen_at: Option<Timestamp>,
    /// How long ago that was, in seconds.
    pub age_seconds: Option<u64>,
    /// Whether every node was seen and everything was OK.
    pub healthy: Option<bool>,
    /// What was not OK, the first few.
    pub problems: Vec<String>,
    /// The version, if all nodes were at the same one.
    pub version: Option<String>,
    /// The master, if all agreed on one.
    pub master: Option<u32>,
    /// How many agents it has.
    pub nodes: usize,
    /// How many of them answered.
    pub reachable: usize,
    /// The run that is not over.
    pub run: Option<String>,
    /// Whether a node of it was seen to refuse installs for a halt.
    pub halted: bool,
    /// Names of the clusters that it replicates with, as it says.
    pub partners: Vec<String>,
}

/// An agent that connects by itself and belongs to no cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnassignedRow {
    /// Its name.
    pub agent: String,
    /// Its version.
    pub version: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Why it belongs nowhere, part of a sentence.
    pub reason: String,
}

impl Document for InventoryDocument {
    const SCHEMA: &'static str = "ratchet.inventory/1";
}
