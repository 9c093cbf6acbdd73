//! One world, from its seed to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent::claims::ClaimRecord;
use agent::durable::read_json;
use agent::package::{Fetcher, Patience};
use agent::state::StateDir;
use anyhow::{Context, Result};
use coordinator::advisories::Advisories;
use coordinator::config::{ClusterConfig, Config, PackageConfig};
use coordinator::documents::RunState;
use coordinator::paths::Table;
use coordinator::run::Deadlines;
use proto::Version;
use proto::transport::Security;
use sim::ClusterSpec;

use crate::headquarters::{self, Headquarters};
use crate::history::{History, Line};
use crate::machine::{self, Machine};
use crate::network::Network;
use crate::operator::{Mend, Operator};
use crate::product::{Cluster, Packages, memory_dir};
use crate::promises::Promises;
use crate::script::{COORDINATORS, Script};
use crate::slots::{self, Owner};
use crate::store::{StoreFaults, Truth};
use crate::weather;

/// The cluster's name.
pub const CLUSTER: &str = "orders";
/// Where clusters start, and the ends of one hop and of two.
const VERSIONS: [Version; 3] =
    [Version::new(7, 4, 2, 54), Version::new(7, 22, 0, 95), Version::new(8, 2, 0, 46)];

/// What all worlds of a process share: made once, never changed.
#[derive(Debug)]
pub struct Shared {
    packages: Packages,
    table: Arc<Table>,
    advisories: Arc<Advisories>,
    fetcher: Fetcher,
}

impl Shared {
    /// Makes it.
    ///
    /// # Errors
    /// When packages cannot be written, or the vendor's table does not parse.
    pub fn make() -> Result<Self> {
        let table = Arc::new(Table::vendor().context("the vendor's table is damaged")?);
        Ok(Self {
            packages: Packages::build(&VERSIONS[1..])?,
            table,
            advisories: Arc::new(Advisories::vendor().context("the vendor's advisories are damaged")?),
            fetcher: Fetcher::new(Patience::default()),
        })
    }
}

/// What became of a world.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// How the run ended, if it did.
    pub state: Option<RunState>,
    /// Broken promises.
    pub violations: Vec<String>,
    /// Everything that happened.
    pub lines: Vec<Line>,
    /// How often each kind of fault came.
    pub faults: std::collections::BTreeMap<&'static str, u64>,
    /// How many installs began.
    pub installs: usize,
    /// Durable writes of each node's agents.
    pub agent_writes: Vec<u64>,
    /// Durable writes of each node's op runners.
    pub op_writes: Vec<u64>,
    /// Appends of the first coordinator.
    pub appends: u64,
    /// How long it lasted, in virtual milliseconds.
    pub lasted_ms: u64,
}

impl Outcome {
    /// The history as a person reads it.
    pub fn readable(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        format!("seed {}\n{}\n", self.seed, lines.join("\n"))
    }
}

/// Lets a world happen, in virtual time.
///
/// # Errors
/// When it cannot be set up, which says nothing about any promise.
pub fn run(script: &Script, shared: &Shared) -> Result<Outcome> {
    let dir = memory_dir()?;
    // One blocking thread, and the main thread looks for what it has done only when nothing else is left to do: the order
    // of things then depends on virtual time alone.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .global_queue_interval(u32::MAX)
        .build()?;
    let outcome = runtime.block_on(happen(script, shared, dir.path()));
    // Tasks of dead processes hang for ever by design.
    runtime.shutdown_background();
    outcome
}

async fn happen(script: &Script, shared: &Shared, dir: &Path) -> Result<Outcome> {
    let world = World::set(script, shared, dir)?;
    slots::wait(world.history.began(), Owner::World, 3000).await;
    let faults = weather::let_happen(&world);
    let operator = world.operator();
    let state = operator.upgrade().await;
    world.until_healed().await;
    world.everything_given_back(&operator).await;
    faults.abort();
    world.promises.at_end();
    Ok(world.outcome(state))
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// What goes wrong.
    pub script: Script,
    /// What happens.
    pub history: History,
    /// The network.
    pub network: Arc<Network>,
    /// The product.
    pub cluster: Arc<Cluster>,
    /// The store.
    pub truth: Arc<Truth>,
    /// The coordinators.
    pub coordinators: Vec<Arc<Headquarters>>,
    /// The nodes' machines, by uid.
    pub machines: Vec<Arc<Machine>>,
    promises: Arc<Promises>,
}

impl World {
    fn set(script: &Script, shared: &Shared, dir: &Path) -> Result<Self> {
        let history = History::begin();
        history.call(dir.display().to_string(), "");
        history.call(shared.packages.dir().display().to_string(), "/packages");
        history.call(format!(" (process {})", std::process::id()), "");
        let network = Network::new(script.seed, history.began());
        let truth = Truth::new(history.clone());
        let spec =
            ClusterSpec { timing: Cluster::timing(), ..ClusterSpec::modelled(script.nodes, VERSIONS[0]) };
        let cluster = Cluster::start(&dir.join("roots"), &spec, history.clone(), script.sabotage)?;
        let promises = Promises::new(history.clone(), Arc::clone(&truth), Arc::clone(&cluster));
        let around = headquarters::Surroundings {
            network: Arc::clone(&network),
            truth: Arc::clone(&truth),
            history: history.clone(),
            config: config(script, shared)?,
            table: Arc::clone(&shared.table),
            advisories: Arc::clone(&shared.advisories),
            seed: script.seed,
        };
        let keep = |name: &'static str| {
            let cuts = script.store_cuts.iter().filter(|(of, _)| *of == name).map(|(_, cut)| *cut).collect();
            let kept = Headquarters::keep(
                name,
                around.clone(),
                StoreFaults { appends: 0, cuts, heals_at: script.heals_at },
            );
            kept.map_err(|failure| anyhow::anyhow!("{failure}"))
        };
        let coordinators = COORDINATORS.into_iter().map(keep).collect::<Result<_>>()?;
        let around = machine::Surroundings {
            network: Arc::clone(&network),
            cluster: Arc::clone(&cluster),
            history: history.clone(),
            promises: Arc::clone(&promises),
            fetcher: shared.fetcher.clone(),
            script: script.clone(),
            dir: dir.to_owned(),
        };
        let machines = (1..=script.nodes).map(|uid| Machine::keep(uid, around.clone())).collect();
        Ok(Self {
            script: script.clone(),
            history,
            network,
            cluster,
            truth,
            coordinators,
            machines,
            promises,
        })
    }

    fn operator(&self) -> Operator {
        Operator {
            coordinators: self.coordinators.clone(),
            truth: Arc::clone(&self.truth),
            history: self.history.clone(),
            script: self.script.clone(),
            cluster: CLUSTER.to_owned(),
            target: VERSIONS[self.script.hops],
            mend: Arc::new(Hands {
                cluster: Arc::clone(&self.cluster),
                machines: self.machines.clone(),
                promises: Arc::clone(&self.promises),
            }),
        }
    }

    async fn until_healed(&self) {
        let left = self.script.heals_at.saturating_sub(self.history.now());
        tokio::time::sleep(Duration::from_millis(left)).await;
    }

    /// A run that is over has given every node back, at the latest when it is told to once more (promises P12 and P13).
    async fn everything_given_back(&self, operator: &Operator) {
        let Some(run) = self.truth.runs().last().map(|listing| listing.id.clone()) else { return };
        let mut last = None;
        for _ in 0..20 {
            let held = self.held();
            if held.is_empty() {
                return;
            }
            self.history.note("operator", format!("abort once more, as these are still claimed: {held:?}"));
            last = operator.give_back(&run).await.err();
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        let last = last.map(|failure| failure.to_string());
        self.history.violation("P13", format!("these stay claimed: {:?}; {last:?}", self.held()));
    }

    /// Nodes whose agents are claimed.
    fn held(&self) -> Vec<String> {
        let held = |machine: &&Arc<Machine>| {
            let record = read_json::<ClaimRecord>(&StateDir::at(&machine.config().state_dir).claim());
            !matches!(record, Ok(None)) && !matches!(record, Ok(Some(ClaimRecord { claim: None, .. })))
        };
        self.machines.iter().filter(held).map(|machine| machine.name().to_owned()).collect()
    }

    fn outcome(&self, state: Option<RunState>) -> Outcome {
        Outcome {
            seed: self.script.seed,
            state,
            violations: self.history.violations(),
            lines: self.history.lines(),
            faults: self.history.faults(),
            installs: self.promises.installs(),
            agent_writes: self.machines.iter().map(|machine| machine.writes()).collect(),
            op_writes: self.machines.iter().map(|machine| machine.op_writes()).collect(),
            appends: self.coordinators[0].appends(),
            lasted_ms: self.history.now(),
        }
    }
}

/// A person at the machines.
#[derive(Debug)]
struct Hands {
    cluster: Arc<Cluster>,
    machines: Vec<Arc<Machine>>,
    promises: Arc<Promises>,
}

impl Mend for Hands {
    fn mend(&self) {
        for (uid, machine) in (1..).zip(&self.machines) {
            if machine.has_power() && !self.promises.is_installing(uid) {
                self.cluster.start_services(uid);
            }
        }
    }

    fn is_installing(&self) -> bool {
        (1..).zip(&self.machines).any(|(uid, _)| self.promises.is_installing(uid))
    }
}

fn config(script: &Script, shared: &Shared) -> Result<Config> {
    let package = |package: &crate::product::Package| -> Result<PackageConfig> {
        Ok(PackageConfig {
            url: format!("file://{}", package.path.display()),
            sha256: package.sha256,
            version: package.version,
            os: proto::OsToken("jammy".to_owned()),
            arch: proto::Arch::Amd64,
            size: Some(package.size),
        })
    };
    let seconds = Duration::from_secs;
    let deadlines = Deadlines {
        gate: seconds(60),
        confirm: seconds(60),
        install: seconds(60),
        reach: seconds(40),
        fetch: seconds(60),
        unpack: seconds(60),
        check: seconds(60),
        collect: seconds(90),
        tune: seconds(60),
        hook: seconds(60),
    };
    Ok(Config {
        store: coordinator::config::StoreLocation(String::new()),
        security: Security::InsecureLoopback,
        limits: proto::transport::Limits::COORDINATOR,
        listen: None,
        clusters: vec![ClusterConfig {
            name: CLUSTER.parse()?,
            agents: (1..=script.nodes).map(machine::address).collect(),
            labels: std::collections::BTreeMap::new(),
            connecting: Vec::new(),
        }],
        packages: shared.packages.all().iter().map(package).collect::<Result<_>>()?,
        deadlines,
        watch_every: seconds(10),
        settings: [(proto::Setting::ReplicaHaGracePeriod, 3600)].into(),
        paths: None,
        advisories: None,
        hooks: None,
        catalogue: None,
        metrics: None,
        notify: Vec::new(),
        enrolment: None,
        advertise: None,
        inventory: coordinator::config::InventoryConfig::default(),
    })
}
