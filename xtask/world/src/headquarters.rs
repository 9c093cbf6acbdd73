//! A coordinator: one process after the other, each with its own channel, at the same store and the same agents.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coordinator::advisories::Advisories;
use coordinator::agents::{Agents, Dialer};
use coordinator::config::Config;
use coordinator::hooks::Hooks;
use coordinator::paths::Table;
use coordinator::run::{Always, World as DriversWorld};
use coordinator::server::{Core, in_process};
use proto::Failure;
use proto::pb::coordinator_client::CoordinatorClient;
use proto::transport::coordinator_client;
use tokio::sync::watch;
use tonic::transport::Channel;

use crate::clock::HostClock;
use crate::history::History;
use crate::life::Life;
use crate::network::Network;
use crate::rng::Stream;
use crate::slots::{self, Owner};
use crate::store::{StoreDoor, StoreFaults, Truth};

/// Between two looks of the watch over a cluster.
const WATCH_EVERY: Duration = Duration::from_secs(10);

/// What a coordinator is started with.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The network.
    pub network: Arc<Network>,
    /// The store.
    pub truth: Arc<Truth>,
    /// The history.
    pub history: History,
    /// `ratchet.toml`.
    pub config: Config,
    /// The vendor's table.
    pub table: Arc<Table>,
    /// The vendor's hazards.
    pub advisories: Arc<Advisories>,
    /// The world's seed.
    pub seed: u64,
}

/// A coordinator's machine: it starts a new process a while after one has died.
#[derive(Debug)]
pub struct Headquarters {
    name: &'static str,
    around: Surroundings,
    /// Its wall clock.
    pub clock: HostClock,
    /// Whether it can reach the store.
    pub store_reachable: watch::Sender<bool>,
    faults: Arc<Mutex<StoreFaults>>,
    present: Mutex<Option<(Life, Channel)>>,
}

impl Headquarters {
    /// A coordinator that is kept running.
    ///
    /// # Errors
    /// When it cannot be put together at all.
    pub fn keep(name: &'static str, around: Surroundings, faults: StoreFaults) -> Result<Arc<Self>, Failure> {
        let this = Arc::new(Self {
            name,
            clock: HostClock::new(around.history.began()),
            around,
            store_reachable: watch::Sender::new(true),
            faults: Arc::new(Mutex::new(faults)),
            present: Mutex::default(),
        });
        let first = this.start()?;
        tokio::spawn(Arc::clone(&this).restart_for_ever(first));
        Ok(this)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The process at work and a client of it, if there is one.
    pub fn client(&self) -> Option<(Life, CoordinatorClient<Channel>)> {
        let present = self.present().clone();
        present.filter(|(life, _)| !life.is_over()).map(|(life, channel)| (life, coordinator_client(channel)))
    }

    /// Kills the process at work.
    pub fn kill(&self) {
        if let Some((life, _)) = &*self.present() {
            life.end();
        }
    }

    /// How many records it has tried to append, in all its lives.
    pub fn appends(&self) -> u64 {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).appends
    }

    async fn restart_for_ever(self: Arc<Self>, first: Life) {
        let mut draws = Stream::of(self.around.seed, &format!("restarts of {}", self.name));
        let mut life = first;
        loop {
            life.over().await;
            self.around.truth.died(self.name);
            self.around.history.note(self.name, "is dead");
            slots::wait(self.around.history.began(), Owner::World, draws.between(200, 15_000)).await;
            match self.start() {
                Ok(next) => life = next,
                Err(failure) => {
                    self.around.history.violation("P12", format!("{} does not start: {failure}", self.name));
                    return;
                }
            }
        }
    }

    fn start(&self) -> Result<Life, Failure> {
        let life = Life::new();
        let around = &self.around;
        let store = StoreDoor::new(
            self.name,
            life.clone(),
            Arc::clone(&around.truth),
            Arc::clone(&self.faults),
            self.store_reachable.subscribe(),
            around.history.clone(),
        );
        let (network, caller, name) = (Arc::clone(&around.network), life.clone(), self.name);
        let dialer = Dialer::through(Arc::new(move |address| network.dial(name, &caller, address)));
        let world = DriversWorld {
            store: Arc::new(store),
            agents: Arc::new(Agents::new(dialer)),
            table: Arc::clone(&around.table),
            advisories: Arc::clone(&around.advisories),
            hooks: Hooks::default(),
            signed: Default::default(),
            admission: Arc::new(Always),
            clock: self.clock.as_clock(),
            watch_every: WATCH_EVERY,
        };
        let channel = in_process(Core::with(around.config.clone(), world)?);
        around.history.note(self.name, "starts");
        *self.present() = Some((life.clone(), channel));
        Ok(life)
    }

    /// What is behind the lock is whole between any two statements.
    fn present(&self) -> MutexGuard<'_, Option<(Life, Channel)>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
