//! What an agent knows of its node, live.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    AgentMemory, Arch, Claim, ClusterView, Details, Epoch, NodeHalt, NodeUid, OsToken, Setting, Sha256,
    StepId, StepKind, Version,
};

/// An answer that may not be had. Whoever uses it must decide about every case; none of them means "fine".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe<T> {
    /// It was read.
    Known(T),
    /// It could not be read, with the reason.
    Unknown(String),
    /// This version of the product has no such command or file, with what was answered.
    Unsupported(String),
}

impl<T> Probe<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) | Self::Unsupported(_) => None,
        }
    }

    /// The value, or why there is none.
    pub fn as_result(&self) -> Result<&T, &str> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(reason) | Self::Unsupported(reason) => Err(reason),
        }
    }
}

/// Everything an agent knows of its node at one moment (design §5, `Observe`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// The agent's clock when it answered.
    pub observed_at: Timestamp,
    /// The agent's own version.
    pub agent_version: String,
    /// The kernel's id of this boot.
    pub boot_id: String,
    /// The machine's host name.
    pub hostname: String,
    /// The product's uid of this node.
    pub node_uid: Probe<NodeUid>,
    /// The cluster's name, where the product tells it.
    pub cluster_name: Probe<String>,
    /// The installed version, agreed on by every source that could be read.
    pub installed: Probe<InstalledVersion>,
    /// Where and as whom the product is installed (promise P11).
    pub installation: Probe<Installation>,
    /// The operating system.
    pub os: Probe<OperatingSystem>,
    /// The architecture.
    pub arch: Probe<Arch>,
    /// The cluster as this node sees it.
    pub view: Probe<ClusterView>,
    /// Tasks at work in the cluster, one line each; empty when there are none.
    pub running_actions: Probe<Vec<String>>,
    /// Maintenance snapshots of this node, by name (fact sheet §3.6).
    pub snapshots: Probe<Vec<String>>,
    /// The cluster's upgrade mode (fact sheet §5.3).
    pub upgrade_mode: Probe<bool>,
    /// What `rlcheck` said, if it was asked for.
    pub rlcheck: Option<Probe<Rlcheck>>,
    /// File systems that an upgrade writes to.
    pub disks: Vec<Disk>,
    /// Kernel settings and the like.
    pub system: System,
    /// The arguments this agent gives to `install.sh`.
    pub install_args: Vec<String>,
    /// How this agent starts what must outlive it.
    pub runner: RunnerKind,
    /// Verified packages on this node.
    pub packages: Vec<HeldPackage>,
    /// Sources that were asked about.
    pub sources: Vec<SourceFacts>,
    /// Who may act on this node.
    pub claim: Option<Claim>,
    /// The highest epoch this agent has ever obeyed.
    pub highest_epoch: Epoch,
    /// The step at work, if one is.
    pub current_step: Option<StepInFlight>,
    /// Which memory this agent has; a wiped or replaced state directory has another one.
    pub memory: AgentMemory,
    /// Settings of the cluster that a run may change; one that is not listed was not asked about.
    pub settings: BTreeMap<Setting, Probe<u64>>,
    /// What was asked for by name.
    #[serde(default)]
    pub details: Details,
    /// Halts in force: no installer begins while there is one.
    #[serde(default)]
    pub halts: Vec<NodeHalt>,
}

/// The installed version and where it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledVersion {
    /// The version all sources agree on.
    pub version: Version,
    /// The sources that were read, for instance `rladmin status` or `dpkg-query`.
    pub read_from: Vec<String>,
}

/// Where and as whom the product is installed (fact sheet §5.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Programs, `/opt/redislabs` unless customised.
    pub install_dir: String,
    /// Configuration.
    pub config_dir: String,
    /// Data and logs.
    pub var_dir: String,
    /// The operating system user the product runs as.
    pub user: String,
    /// The user's group.
    pub group: String,
    /// Which file or rule told.
    pub read_from: String,
}

/// The operating system, from `os-release`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatingSystem {
    /// The name people know it by.
    pub name: String,
    /// The token of packages that fit, `None` if the vendor has none for it.
    pub token: Option<OsToken>,
}

/// The outcome of `rlcheck` (fact sheet §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlcheck {
    /// Passed only if it exited 0, said `ALL TESTS PASSED.` and nothing failed.
    pub passed: bool,
    /// Tests it ran, in order.
    pub tests: Vec<String>,
    /// What failed or was missing, for people; empty when it passed.
    pub failures: Vec<String>,
}

/// What a file system is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskUse {
    /// The agent's state directory: archives and unpacked trees.
    Staging,
    /// The product's programs.
    Install,
    /// The product's data and logs.
    Var,
    /// The installer's scratch space.
    Tmp,
}

/// A file system that an upgrade writes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What for.
    pub purpose: DiskUse,
    /// The directory that was asked about.
    pub path: String,
    /// Tells file systems apart: two uses with the same device share its room.
    pub device: u64,
    /// Room, where it could be read.
    pub room: Probe<Room>,
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Bytes that can still be written.
    pub free: u64,
    /// Its size.
    pub total: u64,
}

/// Kernel settings and programs that the vendor has an opinion on (fact sheet §5.3, §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// The kernel's release.
    pub kernel: String,
    /// `vm.overcommit_memory`.
    pub overcommit_memory: Probe<String>,
    /// Transparent huge pages: the chosen word, for instance `never`.
    pub transparent_hugepage: Probe<String>,
    /// `net.core.somaxconn`.
    pub somaxconn: Probe<String>,
    /// `net.ipv4.ip_local_port_range`, `low high`.
    pub local_port_range: Probe<String>,
    /// Swap in use or on offer, in bytes.
    pub swap_total: Probe<u64>,
    /// Memory, in bytes.
    pub memory_total: Probe<u64>,
    /// `openssl version`.
    pub openssl: Probe<String>,
    /// TCP ports somebody listens on.
    pub listening_ports: Probe<Vec<u16>>,
}

/// How an agent starts what must outlive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunnerKind {
    /// A systemd unit of its own.
    Systemd,
    /// A detached process: for containers and tests.
    Process,
}

/// A verified package on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPackage {
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// The version it was fetched as.
    pub version: Version,
}

/// A package source as the node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// The URL that was asked about.
    pub url: String,
    /// The archive's size in bytes as the source tells it (`None`: it does not), or why it cannot be had.
    pub size: Probe<Option<u64>>,
}

/// A step that is running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepInFlight {
    /// Its id.
    pub step: StepId,
    /// Its kind.
    pub kind: StepKind,
    /// Since when.
    pub since: Timestamp,
}
