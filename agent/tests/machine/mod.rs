//! A machine in this process: the real executor and the real op runner on a real directory, with a product, an
//! installer, a disk and a power switch that a test holds in its hands. Time is tokio's paused clock.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod driver;
mod power;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::config::Config;
use agent::durable::{Disk, StateError, read_json};
use agent::executor::Executor;
use agent::host::Product;
use agent::host::programs::{Call, Output, Programs};
use agent::node::Node;
use agent::observe::Observer;
use agent::package::Packages;
use agent::runner::{
    Guard, Identity, LaunchError, OpError, OpHost, Ops, Process, SignOfLife, Started, run_op_on,
};
use agent::serve;
use agent::state::StateDir;
use futures::future::BoxFuture;
use proto::*;

pub use driver::Coordinator;
pub use power::{Fault, Power};

use crate::common::{NEW, OLD, Place};

/// No upgrade here takes so long, by the paused clock.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What lasts: the directory, the product, and what the installer did.
#[derive(Clone)]
pub struct Machine {
    pub place: Arc<Place>,
    pub package: Package,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    root: PathBuf,
    seconds: AtomicI64,
    boot: AtomicI64,
    /// How often the installer was begun for each step.
    begun: Mutex<BTreeMap<String, usize>>,
}

impl Kept {
    fn version(&self) -> String {
        fs::read_to_string(self.root.join("version")).unwrap()
    }

    fn boot_id(&self) -> String {
        format!("boot {}", self.boot.load(Ordering::Relaxed))
    }
}

impl Machine {
    pub fn new() -> Self {
        // In memory where that can be: these tests sync thousands of files.
        let in_memory = tempfile::tempdir_in("/dev/shm");
        let place = Place::inside(in_memory.or_else(|_| tempfile::tempdir()).unwrap());
        let package = place.package("exit 1");
        let kept = Kept { root: place.path("root"), ..Kept::default() };
        Self { place: Arc::new(place), package, kept: Arc::new(kept) }
    }

    pub fn version(&self) -> String {
        self.kept.version()
    }

    pub fn begun(&self) -> BTreeMap<String, usize> {
        self.kept.begun.lock().unwrap().clone()
    }

    pub fn state(&self) -> StateDir {
        StateDir::at(&self.place.path("state"))
    }

    /// The machine is booted anew: nothing of before can be running.
    pub fn reboot(&self) {
        self.kept.boot.fetch_add(1, Ordering::Relaxed);
    }

    /// Lives until the coordinator has what it wants or the power goes, then drops everything that was in memory; whether
    /// the coordinator has it.
    pub fn live(&self, power: &Power, coordinator: &mut Coordinator) -> bool {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let upgrade = tokio::time::timeout(LONGEST, coordinator.upgrade(self, power));
            tokio::select! {
                biased;
                () = power.gone() => false,
                upgraded = upgrade => upgraded.map(|()| true).expect("it stands still"),
            }
        })
    }

    /// An op runner for a step that was started before: it must do nothing, however late it comes.
    pub fn run_late(&self, step: &StepId) {
        let config = Config::load(&self.place.path("agent.toml")).unwrap();
        let host = Host { kept: Arc::clone(&self.kept), held: Arc::default() };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (clock, disk) = (self.clock(), Disk::real());
        let ended = runtime.block_on(run_op_on(&config, step, &host, &clock, &disk, || {}));
        assert!(matches!(ended, Err(OpError::StartedBefore(_))), "{step}: {ended:?}");
    }

    /// The agent, as a supervisor starts it.
    fn open(&self, power: &Power) -> Result<Executor, StateError> {
        let disk = Disk::watched(Arc::new(power.clone()));
        let config = Config::load(&self.place.path("agent.toml")).unwrap();
        let state = StateDir::create(&config.state_dir, &disk)?;
        let clock = self.clock();
        let host = Host { kept: Arc::clone(&self.kept), held: Arc::default() };
        let ops = SimulatedOps { config: config.clone(), disk: disk.clone(), clock: clock.clone(), host };
        let product =
            Product::with_programs(config.root.clone(), Arc::new(Answers { kept: Arc::clone(&self.kept) }));
        let observer = Observer::new(product, config.state_dir.clone());
        let mut door = serve::door(config, state);
        door.packages = Packages::in_state(&door.state, &disk);
        door.node = Node::new(observer);
        (door.ops, door.disk, door.clock) = (Arc::new(ops), disk, clock);
        Executor::open(door)
    }

    /// A second later whenever it is looked at.
    fn clock(&self) -> Clock {
        let kept = Arc::clone(&self.kept);
        Clock::from_fn(Arc::new(move || {
            let second = kept.seconds.fetch_add(1, Ordering::Relaxed);
            jiff::Timestamp::from_second(second).unwrap()
        }))
    }
}

/// The product's programs.
#[derive(Debug)]
struct Answers {
    kept: Arc<Kept>,
}

impl Programs for Answers {
    fn run(&self, call: Call) -> BoxFuture<'_, Result<Output, ProgramFailure>> {
        let argv = call.argv();
        let said = match (call.name(), call.args().join(" ").as_str()) {
            ("rladmin", "status extra all") => {
                let status = fs::read_to_string(self.kept.root.join("status")).unwrap();
                status.replace("@VERSION@", &self.kept.version())
            }
            ("rladmin", "cluster running_actions") => "No active tasks\n".to_owned(),
            ("rlcheck", _) => "Running test: verify_services\nALL TESTS PASSED.\n".to_owned(),
            _ => {
                let failure =
                    ProgramFailure { argv, status: "could not be started".to_owned(), tail: Vec::new() };
                return Box::pin(async { Err(failure) });
            }
        };
        let output = Output { argv, status: ExitStatus::from_raw(0), stdout: said, stderr: String::new() };
        Box::pin(async { Ok(output) })
    }
}

/// The machine under an op runner.
#[derive(Clone, Debug)]
struct Host {
    kept: Arc<Kept>,
    held: Arc<Mutex<BTreeSet<PathBuf>>>,
}

struct Held {
    path: PathBuf,
    by: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.by.lock().unwrap().remove(&self.path);
    }
}

impl OpHost for Host {
    fn identity(&self) -> Result<Identity, OpError> {
        let process = Process { pid: 1, start_time: 0 };
        Ok(Identity { boot_id: self.kept.boot_id(), process, invocation_id: None })
    }

    fn lock(&self, path: &Path) -> Result<Guard, OpError> {
        assert!(self.held.lock().unwrap().insert(path.to_owned()), "nobody starts two at once here");
        Ok(Box::new(Held { path: path.to_owned(), by: Arc::clone(&self.held) }))
    }

    fn install<'a>(
        &'a self,
        _: &'a Path,
        _: &'a [String],
        _: Duration,
        output: &'a Path,
    ) -> BoxFuture<'a, Result<(Exit, Duration), OpError>> {
        Box::pin(async move {
            let step = output.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(self.kept.version(), OLD, "{step} installs what is installed");
            *self.kept.begun.lock().unwrap().entry(step).or_default() += 1;
            fs::write(output, "[.] one\n").unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            fs::write(self.kept.root.join("version"), NEW).unwrap();
            fs::write(output, "[.] one\nInstallation complete.\n").unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok((Exit::Code(0), Duration::from_secs(4)))
        })
    }
}

/// Op runners as tasks.
#[derive(Debug)]
struct SimulatedOps {
    config: Config,
    disk: Disk,
    clock: Clock,
    host: Host,
}

impl Ops for SimulatedOps {
    fn launch<'a>(&'a self, step: &'a StepId) -> BoxFuture<'a, Result<(), LaunchError>> {
        let (begun, told) = tokio::sync::oneshot::channel();
        let (config, step) = (self.config.clone(), step.clone());
        let (disk, clock, host) = (self.disk.clone(), self.clock.clone(), self.host.clone());
        tokio::spawn(async move {
            let begun = move || {
                // The agent may have gone.
                let _told = begun.send(());
            };
            run_op_on(&config, &step, &host, &clock, &disk, begun).await
        });
        Box::pin(async { told.await.map_err(|_| LaunchError::Slow) })
    }

    fn sign_of_life<'a>(&'a self, dir: &'a Path, _: &'a StepId) -> BoxFuture<'a, SignOfLife> {
        let running = self.host.held.lock().unwrap().contains(&dir.join("op.lock"));
        let started: Option<Started> = read_json(&dir.join("started.json")).ok().flatten();
        let sign = match started {
            _ if running => SignOfLife::Running,
            Some(started) if started.by.boot_id != self.host.kept.boot_id() => {
                SignOfLife::Rebooted("the machine was restarted".to_owned())
            }
            _ => SignOfLife::None,
        };
        Box::pin(async { sign })
    }
}
