//! Setting the stage.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use proto::{Sha256, Version};
use sim::{Cluster, ClusterSpec, PackageSpec, build_package, built_binary};

use crate::{AgentProcess, Mirror, tls};

/// What is to be on the stage.
#[derive(Clone, Debug)]
pub struct StageSpec {
    /// The cluster.
    pub cluster: ClusterSpec,
    /// Packages on the mirror and in the configuration, for the cluster's platform.
    pub packages: Vec<PackageSpec>,
    /// What `install.sh` is given.
    pub install_args: Vec<String>,
    /// How long an agent waits for its node after an install, and the coordinator for others to confirm it.
    pub confirm: String,
    /// How long the gate before a turn may stay shut.
    pub gate: String,
    /// How long an agent may be out of reach.
    pub reach: String,
    /// How long an install may take.
    pub install: String,
    /// How often the watch looks at the other nodes while a step runs.
    pub watch: String,
    /// Lines of `[settings]`: what the cluster's settings are to be during a run.
    pub settings: String,
    /// Further tables of every agent's configuration.
    pub agent_tables: String,
    /// Whether everybody shows certificates; else plain connections on loopback.
    pub mutual_tls: bool,
    /// The cluster's `connecting`: agents listen nowhere, and none is started until
    /// [`agents_dial`](Stage::agents_dial).
    pub connecting: Option<Vec<String>>,
}

impl StageSpec {
    /// A cluster and packages of these versions, with patience fit for tests.
    pub fn new(cluster: ClusterSpec, packages: &[Version]) -> Self {
        let package = |version: &Version| PackageSpec {
            os: cluster.os.clone(),
            arch: cluster.arch,
            ..PackageSpec::new(*version)
        };
        Self {
            packages: packages.iter().map(package).collect(),
            cluster,
            install_args: vec!["-y".to_owned()],
            confirm: "20s".to_owned(),
            gate: "20s".to_owned(),
            reach: "20s".to_owned(),
            install: "60s".to_owned(),
            watch: "200ms".to_owned(),
            settings: String::new(),
            agent_tables: String::new(),
            mutual_tls: false,
            connecting: None,
        }
    }
}

/// A cluster with agents, packages and a configuration. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Stage {
    /// The simulated cluster.
    pub cluster: Cluster,
    /// Where everything lies.
    pub dir: PathBuf,
    spec: StageSpec,
    tls: Option<tls::Files>,
    mirror: Mirror,
    agents: BTreeMap<u32, AgentProcess>,
    addresses: BTreeMap<u32, SocketAddr>,
    /// Which coordinators the agents dial, if they do.
    dialled: Vec<String>,
    digests: BTreeMap<Version, Sha256>,
}

impl Stage {
    /// Sets the stage in a directory: the cluster is healthy, agents that listen do so, the configuration is written.
    ///
    /// # Errors
    /// When anything does not come up.
    pub async fn set(dir: &Path, spec: StageSpec) -> Result<Self> {
        let mirror_dir = dir.join("mirror");
        std::fs::create_dir_all(&mirror_dir)?;
        let mut digests = BTreeMap::new();
        for package in &spec.packages {
            let path = build_package(&mirror_dir, package)?;
            digests.insert(package.version, Sha256::of(&std::fs::read(path)?));
        }
        let mirror = Mirror::start(&mirror_dir).await?;
        let cluster = Cluster::start(dir.join("c"), spec.cluster.clone()).await?;
        let agents = (1..=spec.cluster.nodes).map(|uid| format!("agent/{}-{uid}", spec.cluster.name));
        let whose: Vec<String> =
            agents.chain([tls::COORDINATOR.to_owned(), tls::OPERATOR.to_owned()]).collect();
        let tls = if spec.mutual_tls { Some(tls::write(&dir.join("pki"), &whose)?) } else { None };
        let mut stage = Self {
            tls,
            cluster,
            dir: dir.to_owned(),
            spec,
            mirror,
            agents: BTreeMap::new(),
            addresses: BTreeMap::new(),
            dialled: Vec::new(),
            digests,
        };
        if stage.spec.connecting.is_none() {
            stage.start_agents()?;
        }
        stage.write_configuration()?;
        Ok(stage)
    }

    /// Starts all agents of a stage whose agents dial: these coordinators.
    ///
    /// # Errors
    /// When one does not start.
    pub fn agents_dial(&mut self, coordinators: &[String]) -> Result<()> {
        self.dialled = coordinators.to_vec();
        self.start_agents()
    }

    fn start_agents(&mut self) -> Result<()> {
        self.nodes().try_for_each(|uid| self.start_agent(uid))
    }

    /// The nodes' uids.
    pub fn nodes(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.spec.cluster.nodes
    }

    /// Starts a node's agent, at the address it had before.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_agent(&mut self, uid: u32) -> Result<()> {
        let config = self.dir.join(format!("agent{uid}.toml"));
        let text = format!(
            "{reached}state_dir = {state:?}\n{security}\
             [redis_enterprise]\nroot = {root:?}\nrunner = \"process\"\ninstall_args = {args:?}\n\
             install_deadline = \"{install}\"\nconfirm_deadline = \"{confirm}\"\n{tables}",
            reached = self.reached(uid),
            tables = self.spec.agent_tables,
            security = self.security(&format!("agent/{}", self.agent_name(uid))),
            state = self.cluster.agent_state_dir(uid),
            root = self.cluster.root(uid),
            args = self.spec.install_args,
            install = self.spec.install,
            confirm = self.spec.confirm,
        );
        std::fs::write(&config, text)?;
        let program = built_binary("agent", "ratchet-agent")?;
        let agent = AgentProcess::start(&program, &config, &self.dir.join(format!("agent{uid}.log")))?;
        self.addresses.extend(agent.address().map(|address| (uid, address)));
        self.agents.insert(uid, agent);
        Ok(())
    }

    /// How the coordinator and a node's agent come together, as the agent's configuration has it.
    fn reached(&self, uid: u32) -> String {
        if self.spec.connecting.is_some() {
            return format!("connect = {:?}\nname = \"{}\"\n", self.dialled, self.agent_name(uid));
        }
        let listen = self.addresses.get(&uid).map_or("127.0.0.1:0".to_owned(), ToString::to_string);
        format!("listen = \"{listen}\"\n")
    }

    /// The name under which a node's agent dials.
    pub fn agent_name(&self, uid: u32) -> String {
        format!("{}-{uid}", self.name())
    }

    /// `kill -9` of a node's agent.
    ///
    /// # Errors
    /// When there is none.
    pub fn kill_agent(&mut self, uid: u32) -> Result<()> {
        let agent = self.agents.remove(&uid).with_context(|| format!("node {uid} has no agent"))?;
        Ok(agent.kill()?)
    }

    /// The address of a node's agent.
    pub fn agent_address(&self, uid: u32) -> Option<SocketAddr> {
        self.addresses.get(&uid).copied()
    }

    /// Where a package is served.
    pub fn package_url(&self, version: Version) -> Option<String> {
        let package = self.spec.packages.iter().find(|package| package.version == version)?;
        Some(self.mirror.url(&package.file_name()))
    }

    /// The coordinator's configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.dir.join("ratchet.toml")
    }

    /// That of somebody who asks a coordinator that serves: an operator.
    pub fn asking_configuration(&self) -> PathBuf {
        self.dir.join("operator.toml")
    }

    /// The cluster's name in the configuration.
    pub fn name(&self) -> &str {
        &self.spec.cluster.name
    }

    /// Writes the coordinator's configuration: the cluster with all agents, and every package.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_configuration(&self) -> Result<()> {
        let addresses: Vec<String> = self.addresses.values().map(ToString::to_string).collect();
        self.write_configuration_with(&addresses, &self.digests)
    }

    /// Writes a configuration with these agents and digests: also a wrong one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_configuration_with(
        &self,
        agents: &[String],
        digests: &BTreeMap<Version, Sha256>,
    ) -> Result<()> {
        let mut text = format!(
            "store = \"sqlite://{}\"\n{}\n[deadlines]\ngate = \"{}\"\nconfirm = \"{}\"\n\
             install = \"{}\"\nreach = \"{}\"\n\n[watch]\nevery = \"{}\"\n\n[settings]\n{}\n[[cluster]]\nname = \"{}\"\n{}",
            self.dir.join("ratchet.db").display(),
            self.security(tls::COORDINATOR),
            self.spec.gate,
            self.spec.confirm,
            self.spec.install,
            self.spec.reach,
            self.spec.watch,
            self.spec.settings,
            self.name(),
            match &self.spec.connecting {
                Some(rules) => format!("connecting = {rules:?}\n"),
                None => format!("agents = {agents:?}\n"),
            },
        );
        for package in &self.spec.packages {
            let (url, sha256) = (self.mirror.url(&package.file_name()), digests.get(&package.version));
            let sha256 = sha256.with_context(|| format!("{} has no digest", package.version))?;
            write!(
                text,
                "\n[[package]]\nurl = \"{url}\"\nsha256 = \"{sha256}\"\nversion = \"{}\"\nos = \"{}\"\narch = \"{}\"\n",
                package.version, package.os, package.arch
            )?;
        }
        let asking = text.replace(&self.security(tls::COORDINATOR), &self.security(tls::OPERATOR));
        std::fs::write(self.asking_configuration(), asking)?;
        Ok(std::fs::write(self.configuration(), text)?)
    }

    fn security(&self, who: &str) -> String {
        self.tls.as_ref().map_or("insecure_loopback = true\n".to_owned(), |tls| tls.table(who))
    }

    /// The packages' digests.
    pub fn digests(&self) -> &BTreeMap<Version, Sha256> {
        &self.digests
    }

    /// `ratchet` as an operator has it, for a coordinator that serves.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn asking(&self) -> Result<Command> {
        let mut command = Command::new(built_binary("coordinator", "ratchet")?);
        command.arg("--config").arg(self.asking_configuration());
        command.env_remove("RUST_LOG").env_remove("RATCHET_COORDINATOR").stdin(std::process::Stdio::null());
        Ok(command)
    }

    /// `ratchet`, with the configuration of this stage.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn ratchet(&self) -> Result<Command> {
        let mut command = Command::new(built_binary("coordinator", "ratchet")?);
        command.arg("--config").arg(self.configuration());
        command.env_remove("RUST_LOG").env_remove("RATCHET_COORDINATOR").stdin(std::process::Stdio::null());
        Ok(command)
    }

    /// Waits until every node of the cluster is healthy.
    ///
    /// # Errors
    /// When it is not within half a minute.
    pub async fn settle(&self) -> Result<()> {
        let settled =
            self.cluster.wait_until(std::time::Duration::from_secs(30), sim::model::Model::is_settled).await;
        ensure!(settled, "the cluster does not become healthy: {:?}", self.cluster.snapshot());
        Ok(())
    }
}
