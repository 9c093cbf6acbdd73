//! Steps: the smallest journaled unit on one agent.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{NodeRole, Package, Setting, Sha256, StepId, Version};

/// The kinds of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Download and verify a package.
    Fetch,
    /// Unpack it into a fresh directory.
    Unpack,
    /// Run the vendor's checks.
    Check,
    /// Run `install.sh`.
    Install,
    /// See that the node is at the target and healthy.
    Confirm,
    /// Gather logs and status after a failure.
    Collect,
    /// Restart a service of the product, only where documented.
    Restart,
    /// Change a setting of the cluster.
    Tune,
}

impl StepKind {
    /// All kinds, in the order of a turn.
    pub const ALL: [Self; 8] = [
        Self::Fetch,
        Self::Unpack,
        Self::Check,
        Self::Install,
        Self::Confirm,
        Self::Collect,
        Self::Restart,
        Self::Tune,
    ];

    /// Whether asking for it to stop is allowed. An install is never stopped on request.
    pub fn can_be_cancelled(self) -> bool {
        !matches!(self, Self::Install | Self::Restart | Self::Tune)
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fetch => "fetch",
            Self::Unpack => "unpack",
            Self::Check => "check",
            Self::Install => "install",
            Self::Confirm => "confirm",
            Self::Collect => "collect",
            Self::Restart => "restart",
            Self::Tune => "tune",
        })
    }
}

/// What a step is to do. Complete: the agent adds nothing but its own configuration, which must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepSpec {
    /// Make the node hold this package, verified.
    Fetch {
        /// The package.
        package: Package,
        /// Bytes a second at the most; `None` for no limit.
        rate_limit: Option<u64>,
    },
    /// Unpack a held package into a fresh directory of its own.
    Unpack {
        /// The package's digest.
        package: Sha256,
        /// The version that must be inside.
        version: Version,
    },
    /// `rlcheck`, then `rladmin status extra all`, then `rladmin cluster running_actions`.
    Check,
    /// Run `install.sh` from an unpacked directory, at most once for this step id.
    Install(InstallSpec),
    /// Wait until the node is at the target and healthy.
    Confirm {
        /// The version it must be at.
        target: Version,
        /// How long to go on asking.
        deadline: Duration,
    },
    /// Gather logs and status into a bundle.
    Collect {
        /// The step that failed.
        about: StepId,
    },
    /// `supervisorctl restart <service>`, for the services the vendor documents (fact sheet §7.1).
    Restart {
        /// The service.
        service: RestartableService,
    },
    /// `rladmin tune cluster <setting> <value>`, unless it is so already; read back, it must be the value.
    Tune {
        /// The setting.
        setting: Setting,
        /// The value it must have afterwards.
        value: u64,
    },
}

/// An install, with what must hold on the node immediately before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSpec {
    /// The unpack step whose directory is used; each attempt has its own (fact sheet §5.4).
    pub unpacked_by: StepId,
    /// The archive that directory was unpacked from.
    pub package: Sha256,
    /// The version it installs.
    pub target: Version,
    /// The version that must be installed now.
    pub expected_installed: Version,
    /// The role the node must have now, where it matters.
    pub expected_role: Option<NodeRole>,
    /// The arguments for `install.sh` that the plan was made with; the agent's own must be the same.
    pub args: Vec<String>,
    /// After this long the whole installation is killed; the agent's own limit if `None`.
    pub deadline: Option<Duration>,
}

/// Services that the vendor documents a restart for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartableService {
    /// `cnm_exec`, after 6.0.x → 6.2.x (fact sheet §7.1).
    CnmExec,
}

impl StepSpec {
    /// The kind of step this is.
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Fetch { .. } => StepKind::Fetch,
            Self::Unpack { .. } => StepKind::Unpack,
            Self::Check => StepKind::Check,
            Self::Install(_) => StepKind::Install,
            Self::Confirm { .. } => StepKind::Confirm,
            Self::Collect { .. } => StepKind::Collect,
            Self::Restart { .. } => StepKind::Restart,
            Self::Tune { .. } => StepKind::Tune,
        }
    }
}
