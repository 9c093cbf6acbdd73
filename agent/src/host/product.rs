//! The product on this node: its tools, called by absolute path, and its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proto::{ClusterView, Installation, NodeUid, RestartableService, Rlcheck, Row, Setting, Version};

use super::HostError;
use super::allowed::{Action, Program, name_of};
use super::install_dirs::{detect, read_optional, rooted};
use super::programs::{Call, Output, Programs, SystemPrograms};
use crate::parse::modules::{self, Modules};
use crate::parse::{
    database_info, info, master, node_info, rlcheck, running_actions, services, snapshot_list, status,
    version,
};

/// Where a custom installation leaves its version, wherever its programs are (fact sheet §5.5).
const CUSTOM_VERSION: &str = "/etc/opt/redislabs/redislabs_custom_install_version";
/// The node's own number (fact sheet §3.8).
const NODE_ID: &str = "/etc/opt/redislabs/node.id";

/// How long the product's tools may take. On large clusters they can be slow (RS160539); slowness is no failure.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// One call of `rladmin`.
    pub rladmin: Duration,
    /// One call of `rlcheck`, its own retries included.
    pub rlcheck: Duration,
    /// One call of `supervisorctl` or of the package database.
    pub other: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            rladmin: Duration::from_secs(60),
            rlcheck: Duration::from_secs(300),
            other: Duration::from_secs(120),
        }
    }
}

impl Deadlines {
    fn of(&self, action: Action) -> Duration {
        match action.program().name() {
            "rladmin" => self.rladmin,
            "rlcheck" => self.rlcheck,
            _ => self.other,
        }
    }
}

/// The product as installed under a root directory.
#[derive(Clone, Debug)]
pub struct Product {
    root: PathBuf,
    programs: Arc<dyn Programs>,
    deadlines: Deadlines,
}

impl Product {
    /// The product under a root, `/` on a real node, with real processes.
    pub fn new(root: PathBuf) -> Self {
        Self::with_programs(root, Arc::new(SystemPrograms::default()))
    }

    /// The same with somebody else running the programs.
    pub fn with_programs(root: PathBuf, programs: Arc<dyn Programs>) -> Self {
        Self { root, programs, deadlines: Deadlines::default() }
    }

    /// The same with other deadlines.
    pub fn with_deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path of the product's (such as those in [`Installation`]) on this machine.
    pub fn rooted(&self, path: &str) -> PathBuf {
        rooted(&self.root, path)
    }

    /// A file of the machine's, such as those below `/proc`: the root's own where it has one, else the machine's.
    pub fn of_machine(&self, path: &str) -> PathBuf {
        Some(self.rooted(path)).filter(|own| own.exists()).unwrap_or_else(|| path.into())
    }

    /// Where and as whom the product is installed, in its own words: without the root.
    ///
    /// # Errors
    /// When it is not installed, or its environment file cannot be understood.
    pub fn installation(&self) -> Result<Installation, HostError> {
        detect(&self.root)
    }

    /// The cluster as this node sees it: `rladmin status extra all`.
    ///
    /// # Errors
    /// When it gives no answer, or one that cannot be relied on.
    pub async fn status(&self) -> Result<ClusterView, HostError> {
        let text = self.rladmin(Action::Status).await.map_err(|error| match error {
            HostError::Unsupported { answer, .. } => HostError::NotInCluster(answer),
            other => other,
        })?;
        status::parse(&text).map_err(HostError::Status)
    }

    /// Running actions, one line each: `rladmin cluster running_actions`.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn running_actions(&self) -> Result<Vec<String>, HostError> {
        Ok(running_actions::parse(&self.rladmin(Action::RunningActions).await?)?)
    }

    /// The node with the master's role: `rladmin cluster master`.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn master(&self) -> Result<NodeUid, HostError> {
        Ok(master::parse(&self.rladmin(Action::Master).await?)?)
    }

    /// Names of a node's snapshots: `rladmin node N snapshot list`.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn snapshots(&self, node: NodeUid) -> Result<Vec<String>, HostError> {
        Ok(snapshot_list::parse(&self.rladmin(Action::Snapshots(node)).await?)?)
    }

    /// `rladmin info cluster`.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn info_cluster(&self) -> Result<info::Info, HostError> {
        Ok(info::parse(&self.rladmin(Action::InfoCluster).await?)?)
    }

    /// `rladmin info node N`, by its own keys.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn info_node(&self, node: NodeUid) -> Result<Row, HostError> {
        Ok(node_info::parse(&self.rladmin(Action::InfoNode(node)).await?, node)?)
    }

    /// `rladmin info db`: a row for each database. The given ones must be there.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn info_databases(&self, expected: &[u32]) -> Result<Vec<Row>, HostError> {
        Ok(database_info::parse(&self.rladmin(Action::InfoDatabases).await?, expected)?)
    }

    /// `rladmin status modules extra all`; where that is turned down, without `extra all`.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn modules(&self) -> Result<Modules, HostError> {
        let text = match self.rladmin(Action::ModulesExtraAll).await {
            Err(error) if error.is_refusal() => self.rladmin(Action::Modules).await?,
            answer => answer?,
        };
        Ok(modules::parse(&text)?)
    }

    /// `supervisorctl status`: the services, each with its state. That one does not run is an answer, not an error.
    ///
    /// # Errors
    /// When it does not list the services.
    pub async fn services(&self) -> Result<Vec<Row>, HostError> {
        let output = self.ask(Action::Services).await?;
        match services::parse(&output.stdout) {
            Err(_) if !output.success() => Err(HostError::Program(output.failure())),
            answer => Ok(answer?),
        }
    }

    /// Changes a setting of the cluster: `rladmin tune cluster <setting> <value>`.
    ///
    /// # Errors
    /// As [`Product::status`].
    pub async fn tune_cluster(&self, setting: Setting, value: u64) -> Result<(), HostError> {
        self.rladmin(Action::TuneCluster(setting, value)).await.map(drop)
    }

    /// `rlcheck` with all its tests, each retried this often by the tool itself. That it failed is an answer, not an error.
    ///
    /// # Errors
    /// When it could not be run or did not end in time.
    pub async fn rlcheck(&self, retries: u32) -> Result<Rlcheck, HostError> {
        let output = self.ask(Action::Rlcheck { retries }).await?;
        Ok(rlcheck::parse(&format!("{}\n{}", output.stdout, output.stderr), output.success()))
    }

    /// Restarts a service with `supervisorctl`.
    ///
    /// # Errors
    /// When it does not say that the service was started.
    pub async fn restart_service(&self, service: RestartableService) -> Result<(), HostError> {
        let output = self.ask(Action::Restart(service)).await?;
        let started = format!("{}: started", name_of(service));
        match output.success() && output.stdout.lines().any(|line| line.trim() == started) {
            true => Ok(()),
            false => Err(HostError::Program(output.failure())),
        }
    }

    /// A question to `rladmin`; its standard output if it succeeded.
    ///
    /// # Errors
    /// When it failed, or does not know the command.
    async fn rladmin(&self, action: Action) -> Result<String, HostError> {
        let output = self.ask(action).await?;
        let mut lines = output.stdout.lines().chain(output.stderr.lines());
        if let Some(answer) = lines.find(|line| line.trim_start().starts_with("ERROR: invalid token")) {
            let command = format!("rladmin {}", action.args().join(" "));
            return Err(HostError::Unsupported { command, answer: answer.trim().to_owned() });
        }
        if output.success() { Ok(output.stdout) } else { Err(HostError::Program(output.failure())) }
    }

    /// Starts a program of the closed list, and nothing else; its output whatever its status.
    ///
    /// # Errors
    /// When it could not be run or did not end in time.
    pub async fn ask(&self, action: Action) -> Result<Output, HostError> {
        self.ask_within(action, self.deadlines.of(action)).await
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    /// As [`Product::ask`].
    pub async fn ask_within(&self, action: Action, deadline: Duration) -> Result<Output, HostError> {
        let args = action.args();
        let call = match action.program() {
            Program::Product(name) => {
                let install_dir = self.rooted(&self.installation()?.install_dir);
                Call::of_product(&install_dir, name, args, deadline)
            }
            Program::System(name) => Call::of_system(&self.root, name, args, deadline),
        };
        self.programs.run(call).await.map_err(HostError::Program)
    }

    /// The version a custom installation wrote down; `None` if there is no such file.
    ///
    /// # Errors
    /// When the file is there and holds no version.
    pub fn custom_version(&self) -> Result<Option<Version>, HostError> {
        match read_optional(&self.rooted(CUSTOM_VERSION))? {
            Some(text) => Ok(Some(version::parse(&text)?)),
            None => Ok(None),
        }
    }

    /// What the product's own file says the node's number is; `None` if there is no such file.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn node_id(&self) -> Result<Option<String>, HostError> {
        Ok(read_optional(&self.rooted(NODE_ID))?.map(|text| text.trim().to_owned()))
    }
}
