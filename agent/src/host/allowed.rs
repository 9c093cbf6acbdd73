//! The closed list: every question and order with which an agent starts a program of the product or of the system, with
//! its arguments. Whoever starts a program gives a value of this list, never a path; a command is made of it in `starts`
//! alone, and there, besides, of the installer, of the agent's own program, and of the four that look at the vendor's packages
//! (`package::signature::Programs`). Only hooks come from elsewhere: they are the operator's (`proto::HookRunner`).

use proto::{NodeUid, RestartableService, Setting};

/// What may be started. There is no shell among it, and nothing that came over the network is an argument but numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The cluster as this node sees it.
    Status,
    /// What the cluster is at.
    RunningActions,
    /// Which node is the master.
    Master,
    /// A node's snapshots.
    Snapshots(NodeUid),
    /// The cluster's settings.
    InfoCluster,
    /// A node's settings.
    InfoNode(NodeUid),
    /// All databases.
    InfoDatabases,
    /// All modules, with what not every version tells.
    ModulesExtraAll,
    /// All modules.
    Modules,
    /// Changes a setting of the cluster.
    TuneCluster(Setting, u64),
    /// The vendor's checks, each retried this often.
    Rlcheck {
        /// How often.
        retries: u32,
    },
    /// The product's services.
    Services,
    /// Restarts one of them.
    Restart(RestartableService),
    /// The version that `dpkg` has installed.
    DpkgVersion,
    /// The version that `rpm` has installed.
    RpmVersion,
    /// Whether the package's files are as `dpkg` installed them.
    DpkgVerify,
    /// Whether the package's files are as `rpm` installed them.
    RpmVerify,
    /// Whether the clock is kept right.
    TimeSynchronised,
    /// The version of OpenSSL.
    OpensslVersion,
}

/// Where a program of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// In the product's own `bin`.
    Product(&'static str),
    /// In one of [`SYSTEM_DIRECTORIES`].
    System(&'static str),
}

/// Where programs of the system are, in the order in which they are looked for. Where only an administrator puts
/// programs, `/usr/local`, is none of them.
pub const SYSTEM_DIRECTORIES: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

impl Program {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product(name) | Self::System(name) => name,
        }
    }
}

impl Action {
    /// The program.
    pub fn program(self) -> Program {
        match self {
            Self::Status
            | Self::RunningActions
            | Self::Master
            | Self::Snapshots(_)
            | Self::InfoCluster
            | Self::InfoNode(_)
            | Self::InfoDatabases
            | Self::ModulesExtraAll
            | Self::Modules
            | Self::TuneCluster(..) => Program::Product("rladmin"),
            Self::Rlcheck { .. } => Program::Product("rlcheck"),
            Self::Services | Self::Restart(_) => Program::Product("supervisorctl"),
            Self::DpkgVersion => Program::System("dpkg-query"),
            Self::DpkgVerify => Program::System("dpkg"),
            Self::RpmVersion | Self::RpmVerify => Program::System("rpm"),
            Self::TimeSynchronised => Program::System("timedatectl"),
            Self::OpensslVersion => Program::System("openssl"),
        }
    }

    /// All its arguments.
    pub fn args(self) -> Vec<String> {
        let fixed: &[&str] = match self {
            Self::Status => &["status", "extra", "all"],
            Self::RunningActions => &["cluster", "running_actions"],
            Self::Master => &["cluster", "master"],
            Self::Snapshots(node) => return words(&["node", &node.0.to_string(), "snapshot", "list"]),
            Self::InfoCluster => &["info", "cluster"],
            Self::InfoNode(node) => return words(&["info", "node", &node.0.to_string()]),
            Self::InfoDatabases => &["info", "db"],
            Self::ModulesExtraAll => &["status", "modules", "extra", "all"],
            Self::Modules => &["status", "modules"],
            Self::TuneCluster(setting, value) => {
                return words(&["tune", "cluster", &setting.to_string(), &value.to_string()]);
            }
            Self::Rlcheck { retries: 0 } => &["--continue-on-error"],
            Self::Rlcheck { retries } => {
                let retries = retries.to_string();
                return words(&["--continue-on-error", "--retry", &retries, "--retry-delay", "5"]);
            }
            Self::Services => &["status"],
            Self::Restart(service) => return words(&["restart", name_of(service)]),
            Self::DpkgVersion => &["-W", "-f", "${Status}\t${Version}\n", "redislabs"],
            Self::RpmVersion => &["-q", "--qf", "%{VERSION}-%{RELEASE}\n", "redislabs"],
            Self::DpkgVerify | Self::RpmVerify => &["--verify", "redislabs"],
            Self::TimeSynchronised => &["show", "-p", "NTPSynchronized", "--value"],
            Self::OpensslVersion => &["version"],
        };
        words(fixed)
    }
}

/// The name that `supervisorctl` knows a service by.
pub fn name_of(service: RestartableService) -> &'static str {
    match service {
        RestartableService::CnmExec => "cnm_exec",
    }
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}
