//! A node's machine: its power, its agent's lives, its op runners, its disk.

mod disk;
mod installer;
mod ops;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent::config::Config;
use agent::durable::Disk;
use agent::executor::Executor;
use agent::host::Product;
use agent::node::Node;
use agent::observe::Observer;
use agent::package::{Fetcher, Packages};
use agent::state::StateDir;
use agent::steps::Door;

pub use disk::WatchedDisk;
pub use ops::OpRoom;

use crate::clock::HostClock;
use crate::history::History;
use crate::life::Life;
use crate::network::Network;
use crate::product::{Cluster, NodePrograms};
use crate::promises::Promises;
use crate::rng::Stream;
use crate::script::{COORDINATORS, InstallFault, Script};
use crate::slots::{self, Owner};
use crate::store::Cut;

/// What a machine stands in.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The network.
    pub network: Arc<Network>,
    /// The product.
    pub cluster: Arc<Cluster>,
    /// The history.
    pub history: History,
    /// The promises.
    pub promises: Arc<Promises>,
    /// Gets packages; shared, as it is costly to make.
    pub fetcher: Fetcher,
    /// What goes wrong.
    pub script: Script,
    /// Where agents keep their state, one directory each.
    pub dir: PathBuf,
}

/// A node's machine.
#[derive(Debug)]
pub struct Machine {
    uid: u32,
    name: String,
    address: String,
    config: Arc<Config>,
    around: Surroundings,
    /// Its wall clock.
    pub clock: HostClock,
    disk: Arc<Mutex<WatchedDisk>>,
    ops: Arc<OpRoom>,
    present: Mutex<Present>,
}

#[derive(Debug)]
struct Present {
    /// Since the last boot.
    power: Life,
    /// Of the agent.
    agent: Life,
    lives: u64,
}

/// The address of a node's agent.
pub fn address(uid: u32) -> String {
    format!("n{uid}:7443")
}

impl Machine {
    /// A machine that has power and keeps an agent running.
    pub fn keep(uid: u32, around: Surroundings) -> Arc<Self> {
        let (script, history) = (&around.script, &around.history);
        let name = format!("n{uid}");
        let state_dir = around.dir.join(&name);
        let config = Arc::new(config(state_dir, around.cluster.root(uid)));
        let of_node = |cuts: &[(u32, Cut)]| -> Vec<Cut> {
            cuts.iter().filter(|(of, _)| *of == uid).map(|(_, cut)| *cut).collect()
        };
        let installs: Vec<InstallFault> =
            script.installs.iter().filter(|(of, _)| *of == uid).map(|(_, fault)| *fault).collect();
        let clock = HostClock::new(history.began());
        let ops = OpRoom::new(
            uid,
            Arc::clone(&config),
            around.clone(),
            clock.clone(),
            of_node(&script.op_cuts),
            installs,
        );
        let disk = Arc::new(Mutex::new(WatchedDisk::new(of_node(&script.agent_cuts), script.heals_at)));
        let power = Life::new();
        let present = Mutex::new(Present { agent: power.child(), power, lives: 0 });
        let address = address(uid);
        let machine = Arc::new(Self { uid, name, address, config, around, clock, disk, ops, present });
        machine.ops.boots(&machine.present().power);
        tokio::spawn(Arc::clone(&machine).keep_agent());
        tokio::spawn(Arc::clone(&machine).follow_power_cuts());
        machine
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many durable writes its agents have begun.
    pub fn writes(&self) -> u64 {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).writes()
    }

    /// How many durable writes its op runners have begun.
    pub fn op_writes(&self) -> u64 {
        self.ops.writes()
    }

    /// The agent's configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether an op runner is at work.
    pub fn is_installing(&self) -> bool {
        self.ops.is_at_work()
    }

    /// Whether it has power.
    pub fn has_power(&self) -> bool {
        !self.present().power.is_over()
    }

    /// Kills the agent.
    pub fn kill_agent(&self) {
        self.present().agent.end();
    }

    /// Kills the agent, and everything that it knows is gone.
    pub fn lose_state(&self) {
        self.kill_agent();
        if let Err(error) = std::fs::remove_dir_all(&self.config.state_dir) {
            self.around.history.note(&self.name, format!("the state directory cannot be removed: {error}"));
        }
    }

    /// Takes the power away, and gives it back.
    pub async fn power_cut(&self, back_after: Duration) {
        if !self.has_power() {
            return;
        }
        self.around.history.note(&self.name, "loses its power");
        for coordinator in COORDINATORS {
            self.around.network.dark(coordinator, &self.address, true);
        }
        self.present().power.end();
        self.around.cluster.kill_services(self.uid);
        let ms = u64::try_from(back_after.as_millis()).unwrap_or(u64::MAX);
        slots::wait(self.around.history.began(), Owner::World, ms).await;
        self.boot().await;
    }

    async fn boot(&self) {
        self.around.history.note(&self.name, "boots");
        let power = Life::new();
        self.ops.boots(&power);
        self.present().power = power.clone();
        for coordinator in COORDINATORS {
            self.around.network.dark(coordinator, &self.address, false);
        }
        let cluster = Arc::clone(&self.around.cluster);
        let uid = self.uid;
        tokio::spawn(async move {
            power.while_alive(tokio::time::sleep(Duration::from_secs(4))).await;
            cluster.start_services(uid);
        });
    }

    /// Carries out the power cuts that installs bring about.
    async fn follow_power_cuts(self: Arc<Self>) {
        loop {
            let back_after = self.ops.next_power_cut().await;
            self.power_cut(back_after).await;
        }
    }

    /// As the machine's supervisor does: starts the agent again whenever it has died.
    async fn keep_agent(self: Arc<Self>) {
        let mut draws = Stream::of(self.around.script.seed, &format!("agent of {}", self.name));
        loop {
            let power = self.present().power.clone();
            if !power.is_over() {
                let life = power.child();
                self.present().agent = life.clone();
                match self.start_agent(&life) {
                    Ok(()) => {
                        life.over().await;
                        self.around.history.note(&self.name, "the agent is dead");
                    }
                    Err(error) => {
                        life.end();
                        self.around.history.note(&self.name, format!("the agent does not start: {error}"));
                    }
                }
            }
            let pause = draws.between(200, 8_000);
            slots::wait(self.around.history.began(), Owner::Node(self.uid), pause).await;
        }
    }

    fn start_agent(&self, life: &Life) -> Result<(), agent::durable::StateError> {
        let lives = {
            let mut present = self.present();
            present.lives += 1;
            present.lives
        };
        let door = self.door(life, lives)?;
        let executor = Executor::open(door)?;
        if lives > 1 {
            self.around.history.note(&self.name, "the agent is back");
        }
        let incoming = self.around.network.listen(&self.address, life);
        let life = life.clone();
        let (history, name) = (self.around.history.clone(), self.name.clone());
        tokio::spawn(async move {
            let stopping = executor.stopping();
            tokio::select! {
                biased;
                () = life.over() => {}
                served = agent::rpc::serve_on(incoming, executor) => {
                    history.note(&name, format!("the agent's service ended: {served:?}"));
                }
            }
            // What is left of a dead process only takes time: all its doors are closed.
            stopping.cancel();
        });
        Ok(())
    }

    fn door(&self, life: &Life, lives: u64) -> Result<Door, agent::durable::StateError> {
        let history = &self.around.history;
        let watch = disk::Watch::of_agent(&self.name, life, &self.disk, &self.around);
        let disk = Disk::watched(Arc::new(watch));
        let state = StateDir::create(&self.config.state_dir, &disk)?;
        let draws = Stream::of(self.around.script.seed, &format!("programs of {} {lives}", self.name));
        let cluster = Arc::clone(&self.around.cluster);
        let programs = NodePrograms::new(cluster, self.uid, life.clone(), history.began(), draws);
        let product = Product::with_programs(self.config.root.clone(), Arc::new(programs));
        let observer = Observer::new(product, self.config.state_dir.clone());
        Ok(Door {
            packages: Packages::in_state(&state, &disk),
            fetcher: self.around.fetcher.clone(),
            node: Node::new(observer),
            clock: self.clock.as_clock(),
            ops: self.ops.door(life),
            disk,
            state,
            config: Arc::clone(&self.config),
        })
    }

    /// What is behind the lock is whole between any two statements.
    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn config(state_dir: PathBuf, root: PathBuf) -> Config {
    Config {
        file: PathBuf::from("agent.toml"),
        program: None,
        listen: Some(([127, 0, 0, 1], 7443).into()),
        connect: Vec::new(),
        name: None,
        state_dir,
        security: proto::transport::Security::InsecureLoopback,
        limits: proto::transport::Limits::AGENT,
        root,
        runner: Some(proto::RunnerKind::Process),
        install_args: vec!["-y".to_owned()],
        install_deadline: Duration::from_secs(60),
        confirm_deadline: Duration::from_secs(60),
        rest: None,
        hooks: None,
        trust: Default::default(),
        metrics: None,
        archive: Default::default(),
    }
}
