//! The plan as it is shown, saved, approved and carried out: schema `ratchet.plan/1`.

use jiff::Timestamp;
use proto::{Arch, ClusterName, NodeRole, NodeUid, OsToken, Package, Setting, Sha256, Version};
use serde::{Deserialize, Serialize};

use crate::checks::{Acceptance, Finding};
use crate::fingerprint::Fingerprint;
use crate::paths::Status;

/// The schema of [`Plan`].
pub(super) const PLAN_SCHEMA: &str = "ratchet.plan/1";

/// Everything a run will do, and why it may. Complete and immutable: carrying it out leaves nothing to choose but whose turn
/// it is when the master role moves (promise P2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// `ratchet.plan/1`.
    pub schema: String,
    /// The cluster.
    pub cluster: ClusterName,
    /// When it was made.
    pub made_at: Timestamp,
    /// The version every node is to be at.
    pub target: Version,
    /// The digest of the table of upgrade paths it was made with.
    pub table_digest: Sha256,
    /// The digest of the advisories it was judged by; plans made before there were any have none.
    #[serde(default)]
    pub advisories_digest: Option<Sha256>,
    /// All nodes, by uid.
    pub nodes: Vec<PlannedNode>,
    /// The hops, in order.
    pub hops: Vec<PlannedHop>,
    /// The packages that are installed, each once.
    pub packages: Vec<Package>,
    /// Settings of the cluster that are changed for the run and put back after it (promise P13).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<PlannedSetting>,
    /// How the cluster was configured: what a run compares with before each turn. Plans made before it was taken have none.
    #[serde(default)]
    pub configuration: Option<Fingerprint>,
    /// What stands in the way and is accepted all the same, with reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Acceptance>,
    /// Everything the preflight checks found.
    pub findings: Vec<Finding>,
    /// What a person should know before saying yes.
    pub notes: Vec<String>,
}

/// A setting that is to have another value while a run is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSetting {
    /// The setting.
    pub setting: Setting,
    /// The value it is to have.
    pub wanted: u64,
}

/// A node as the plan found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// The node.
    pub uid: NodeUid,
    /// Its agent, `host:port`.
    pub agent: String,
    /// Its address in the cluster.
    pub address: String,
    /// Its host name.
    pub hostname: String,
    /// The installed version.
    pub installed: Version,
    /// Its role when the plan was made.
    pub role: NodeRole,
    /// Its operating system.
    pub os: OsToken,
    /// Its architecture.
    pub arch: Arch,
    /// The arguments its agent gives to `install.sh`.
    pub install_args: Vec<String>,
}

/// One hop, with its turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHop {
    /// The lowest version a node has before it.
    pub from: Version,
    /// The version every node has after it, or is above already.
    pub to: Version,
    /// Where the vendor says that it is supported.
    pub source: String,
    /// Whether today's table still prints it.
    pub status: Status,
    /// The turns in the order expected: the master first, then ascending uid.
    pub turns: Vec<Turn>,
    /// Nodes that are at this version or above before it begins.
    pub already_there: Vec<NodeUid>,
}

/// One node's part in one hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The node.
    pub node: NodeUid,
    /// The version it is at before.
    pub from: Version,
    /// The package it gets.
    pub package: Sha256,
    /// The role it had when the plan was made.
    pub role: NodeRole,
}

impl Plan {
    /// The SHA-256 over the plan's JSON: what is approved, and what a run says it carries out.
    pub fn digest(&self) -> Result<Sha256, serde_json::Error> {
        serde_json::to_vec(self).map(|json| Sha256::of(&json))
    }
}
