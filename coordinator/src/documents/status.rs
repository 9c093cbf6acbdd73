//! What `status` and `check` answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, FleetHaltRow};
use crate::checks::Finding;

/// What `status` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusDocument {
    /// `ratchet.status/1`.
    pub schema: String,
    /// When it was observed.
    pub at: Timestamp,
    /// The halt of the fleet, if there is one: then nothing begins anywhere.
    #[serde(default)]
    pub fleet_halt: Option<FleetHaltRow>,
    /// Certificates of the coordinator and of agents that expire soon, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// One row a cluster, as configured.
    pub clusters: Vec<ClusterRow>,
}

/// A cluster as its agents see it now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterRow {
    /// Its name in the configuration.
    pub name: String,
    /// Whether every node was seen and everything is OK.
    pub healthy: bool,
    /// The version, if all nodes are at the same one.
    pub version: Option<String>,
    /// The master, if all agree on one.
    pub master: Option<u32>,
    /// What is not OK, in words; empty when healthy.
    pub problems: Vec<String>,
    /// One row an agent, by uid, unreachable ones last.
    pub nodes: Vec<NodeRow>,
    /// The run at work on it or waiting for somebody, if any.
    pub run: Option<String>,
    /// Things an operator should know that are no fault of the cluster, such as an installation without systemd.
    pub remarks: Vec<String>,
}

/// A node as its agent sees it now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeRow {
    /// The agent's address.
    pub agent: String,
    /// Whether the agent answered.
    pub reachable: bool,
    /// Why not, or what could not be read.
    pub trouble: Option<String>,
    /// The product's uid.
    pub uid: Option<u32>,
    /// `master` or `replica`.
    pub role: Option<String>,
    /// The node's internal address in the cluster.
    pub address: Option<String>,
    /// Its host name.
    pub hostname: Option<String>,
    /// The installed version.
    pub version: Option<String>,
    /// Its status in the product's words.
    pub status: Option<String>,
    /// The run that claims it.
    pub claim: Option<String>,
    /// Verified packages it holds, by version.
    pub packages: Vec<String>,
    /// The step at work on it.
    pub step: Option<String>,
    /// The agent's version.
    pub agent_version: Option<String>,
}

/// What `check` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckDocument {
    /// `ratchet.check/1`.
    pub schema: String,
    /// The cluster that was checked.
    pub cluster: String,
    /// When it was observed.
    pub at: Timestamp,
    /// The target it was checked for, if one was named.
    pub target: Option<String>,
    /// Whether nothing stands in the way.
    pub passed: bool,
    /// Everything the checks found, good and bad.
    pub findings: Vec<Finding>,
}

impl Document for StatusDocument {
    const SCHEMA: &'static str = "ratchet.status/1";
}

impl Document for CheckDocument {
    const SCHEMA: &'static str = "ratchet.check/1";
}
