//! Op runners on one machine: they outlive the agent and die with the power.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent::config::Config;
use agent::durable::Disk;
use agent::executor::StepRecord;
use agent::runner::{Guard, Identity, LaunchError, OpError, OpHost, Ops, Process, SignOfLife, run_op_on};
use agent::state::StateDir;
use futures::future::BoxFuture;
use proto::{Exit, StepId, StepSpec};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::time::Instant;

use super::Surroundings;
use super::disk::{Watch, WatchedDisk};
use super::installer::Installer;
use crate::clock::HostClock;
use crate::life::Life;
use crate::product::Cluster;
use crate::rng::Stream;
use crate::script::{InstallFault, Sabotage};
use crate::slots::{self, Owner};
use crate::store::Cut;

/// Where the op runners of one machine live.
#[derive(Debug)]
pub struct OpRoom {
    uid: u32,
    name: String,
    config: Arc<Config>,
    around: Surroundings,
    clock: HostClock,
    disk: Arc<Mutex<WatchedDisk>>,
    present: Mutex<Present>,
    power_cuts: mpsc::UnboundedSender<Duration>,
    due_power_cuts: AsyncMutex<mpsc::UnboundedReceiver<Duration>>,
}

#[derive(Debug)]
struct Present {
    boot: u64,
    power: Life,
    draws: Stream,
    next_pid: i32,
    alive: BTreeSet<StepId>,
    started_in: BTreeMap<StepId, u64>,
    faults: VecDeque<InstallFault>,
}

impl OpRoom {
    pub(super) fn new(
        uid: u32,
        config: Arc<Config>,
        around: Surroundings,
        clock: HostClock,
        cuts: Vec<Cut>,
        faults: Vec<InstallFault>,
    ) -> Arc<Self> {
        let name = format!("n{uid}");
        let present = Present {
            boot: 0,
            power: Life::new(),
            draws: Stream::of(around.script.seed, &format!("ops of {name}")),
            next_pid: 5000,
            alive: BTreeSet::new(),
            started_in: BTreeMap::new(),
            faults: faults.into(),
        };
        let heals_at = around.script.heals_at;
        let (power_cuts, due) = mpsc::unbounded_channel();
        Arc::new(Self {
            uid,
            name,
            config,
            around,
            clock,
            disk: Arc::new(Mutex::new(WatchedDisk::new(cuts, heals_at))),
            present: Mutex::new(present),
            power_cuts,
            due_power_cuts: AsyncMutex::new(due),
        })
    }

    /// The machine has power since now: nothing lives on it yet.
    pub(super) fn boots(&self, power: &Life) {
        let mut present = self.present();
        present.boot += 1;
        present.power = power.clone();
        present.alive.clear();
    }

    /// How many durable writes op runners have begun.
    pub fn writes(&self) -> u64 {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).writes()
    }

    /// Whether an op runner lives.
    pub fn is_at_work(&self) -> bool {
        !self.present().alive.is_empty()
    }

    /// As one life of the agent deals with op runners.
    pub(super) fn door(self: &Arc<Self>, agent: &Life) -> Arc<dyn Ops> {
        Arc::new(OpsDoor { room: Arc::clone(self), agent: agent.clone() })
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.around.cluster
    }

    pub(super) fn note(&self, what: String) {
        self.around.history.note(&self.name, what);
    }

    pub(super) fn fault(&self, kind: &'static str, what: String) {
        self.around.history.fault(kind, &self.name, what);
    }

    /// Waits so many milliseconds, and for a moment that is this node's own.
    pub(super) async fn takes(&self, least_ms: u64, most_ms: u64) {
        let ms = self.present().draws.between(least_ms, most_ms);
        slots::wait(self.around.history.began(), Owner::Node(self.uid), ms).await;
    }

    pub(super) fn cut_power(&self, back_after: Duration) {
        // The machine follows this channel for as long as the world lasts.
        let _ = self.power_cuts.send(back_after);
    }

    pub(super) async fn next_power_cut(&self) -> Duration {
        match self.due_power_cuts.lock().await.recv().await {
            Some(back_after) => back_after,
            None => std::future::pending().await,
        }
    }

    fn next_fault(&self) -> InstallFault {
        self.present().faults.pop_front().unwrap_or(InstallFault::None)
    }

    /// What must not be, where the script wants it.
    fn sabotage(self: &Arc<Self>, step: &StepId) {
        let (room, step) = (Arc::clone(self), step.clone());
        match self.around.script.sabotage {
            Some(Sabotage::StartForgotten) => drop(tokio::spawn(async move {
                room.takes(8_000, 8_000).await;
                let started = StateDir::at(&room.config.state_dir).step(&step).join("started.json");
                room.note(format!("SABOTAGE: the start is forgotten: {:?}", std::fs::remove_file(started)));
                room.begin(step, InstallFault::None);
            })),
            Some(Sabotage::InstallsUnasked) => drop(tokio::spawn(async move {
                room.takes(2_000, 2_000).await;
                if let Ok(Some(record)) = StepRecord::read(&StateDir::at(&room.config.state_dir), &step) {
                    room.note("SABOTAGE: the next node installs, too".to_owned());
                    room.around.promises.install_begins(room.uid + 1, &record);
                }
            })),
            Some(Sabotage::HealthInvented | Sabotage::OtherMasterShown | Sabotage::SettingKept) | None => {}
        }
    }

    /// Starts an op runner.
    fn begin(self: &Arc<Self>, step: StepId, fault: InstallFault) {
        let life = {
            let mut present = self.present();
            present.alive.insert(step.clone());
            present.power.child()
        };
        let room = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = life.over() => {}
                ended = room.run_op(&step, &life, fault) => {
                    if let Err(error) = ended {
                        room.note(format!("the op runner ended: {error}"));
                    }
                }
            }
            room.around.promises.install_ended(&step);
            // After a power cut this set is another boot's: nothing of this one is in it.
            if !room.present().power.is_over() {
                room.present().alive.remove(&step);
            }
        });
    }

    async fn run_op(
        self: &Arc<Self>,
        step: &StepId,
        life: &Life,
        fault: InstallFault,
    ) -> Result<(), OpError> {
        let record = StepRecord::read(&StateDir::at(&self.config.state_dir), step)?;
        let record = record.ok_or_else(|| OpError::NotOrdered(step.clone()))?;
        let watch = Watch::of_op(&self.name, life, &self.disk, &self.around);
        let disk = Disk::watched(Arc::new(watch));
        let host = Host { room: Arc::clone(self), life: life.clone(), record, fault };
        let clock = self.clock.as_clock();
        let begun = || {
            let mut present = self.present();
            let boot = present.boot;
            present.started_in.insert(step.clone(), boot);
        };
        run_op_on(&self.config, step, &host, &clock, &disk, begun).await.map(|_| ())
    }

    /// What is behind the lock is whole between any two statements.
    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Op runners as one life of an agent deals with them.
#[derive(Debug)]
struct OpsDoor {
    room: Arc<OpRoom>,
    agent: Life,
}

impl OpsDoor {
    async fn launched(&self, step: &StepId) -> Result<(), LaunchError> {
        use InstallFault::{LaunchedLate, NotLaunched};
        self.room.takes(20, 300).await;
        match self.room.next_fault() {
            NotLaunched => {
                self.room.fault("op-runner-not-launched", String::new());
                Err(LaunchError::Slow)
            }
            LaunchedLate(ms) => {
                self.room.fault("op-runner-launched-late", String::new());
                let (room, step, power) =
                    (Arc::clone(&self.room), step.clone(), self.room.present().power.clone());
                tokio::spawn(async move {
                    power.while_alive(room.takes(ms, ms)).await;
                    room.begin(step, InstallFault::None);
                });
                Err(LaunchError::Slow)
            }
            fault => {
                self.room.begin(step.clone(), fault);
                self.room.sabotage(step);
                Ok(())
            }
        }
    }
}

impl Ops for OpsDoor {
    fn launch<'a>(&'a self, step: &'a StepId) -> BoxFuture<'a, Result<(), LaunchError>> {
        Box::pin(async move { self.agent.while_alive(self.launched(step)).await })
    }

    fn sign_of_life<'a>(&'a self, _: &'a Path, step: &'a StepId) -> BoxFuture<'a, SignOfLife> {
        Box::pin(async move {
            self.agent.hang_if_over().await;
            let present = self.room.present();
            if present.alive.contains(step) {
                return SignOfLife::Running;
            }
            match present.started_in.get(step) {
                Some(boot) if *boot != present.boot => {
                    SignOfLife::Rebooted("the machine was restarted".to_owned())
                }
                _ => SignOfLife::None,
            }
        })
    }
}

/// The machine under one op runner.
#[derive(Debug)]
struct Host {
    room: Arc<OpRoom>,
    life: Life,
    record: StepRecord,
    fault: InstallFault,
}

impl OpHost for Host {
    fn identity(&self) -> Result<Identity, OpError> {
        let mut present = self.room.present();
        present.next_pid += 1;
        Ok(Identity {
            boot_id: format!("boot {}", present.boot),
            process: Process { pid: present.next_pid, start_time: self.room.around.history.now() },
            invocation_id: None,
        })
    }

    /// A machine has one op runner for a step at a time: whoever is alive holds the lock.
    fn lock(&self, _: &Path) -> Result<Guard, OpError> {
        Ok(Box::new(()))
    }

    fn install<'a>(
        &'a self,
        _: &'a Path,
        _: &'a [String],
        deadline: Duration,
        output: &'a Path,
    ) -> BoxFuture<'a, Result<(Exit, Duration), OpError>> {
        Box::pin(async move {
            let StepSpec::Install(spec) = &self.record.spec else {
                return Err(OpError::NotOrdered(self.record.step.clone()));
            };
            let began = Instant::now();
            self.room.around.promises.install_begins(self.room.uid, &self.record);
            let installer = Installer {
                room: Arc::clone(&self.room),
                life: self.life.clone(),
                uid: self.room.uid,
                target: spec.target,
                fault: self.fault,
            };
            let ran = tokio::time::timeout(deadline, installer.run(output)).await;
            let exit = ran.unwrap_or(Exit::Deadline);
            self.room.around.promises.install_ended(&self.record.step);
            self.room.note(format!("the installer ends with {exit}"));
            Ok((exit, began.elapsed()))
        })
    }
}
