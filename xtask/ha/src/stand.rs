//! What a schedule strikes: a database of two servers, coordinators with ways to them that can be broken, and a fleet
//! that outlives everything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use fleet::configuration::{Listed, Place, ratchet_toml};
use fleet::process::free_address;
use fleet::{Fleet, FleetSpec, Pace};
use pg::Pair;
use proto::Version;
use tokio::time::{Instant, sleep};

use crate::ask::Ratchet;
use crate::coordinator::{Coordinator, Leader};
use crate::proxy::Proxy;
use crate::schedule::Schedule;

/// The version all clusters are upgraded to.
pub const TO: Version = Version::new(7, 22, 0, 95);

/// How many clusters there are, each with its own run.
const CLUSTERS: u32 = 2;
/// How many nodes each has.
pub const NODES: u32 = 3;

/// The primary's place among the servers.
pub const PRIMARY: usize = 0;

const DATABASE: &str = "ratchet";

/// How long coordinators may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Everything that a schedule strikes. Ends when it is dropped.
#[derive(Debug)]
pub struct Stand {
    /// The database.
    pub pair: Pair,
    /// Whether a server takes writes.
    pub writable: bool,
    /// The simulated nodes and their ledger.
    pub fleet: Fleet,
    /// The coordinators.
    pub coordinators: Vec<Coordinator>,
    /// The command line.
    pub ratchet: Ratchet,
}

impl Stand {
    /// Starts everything, with its files in this directory, and waits until somebody leads.
    ///
    /// # Errors
    /// PostgreSQL or the program is missing, or nobody leads within a minute.
    pub async fn set_up(schedule: &Schedule, program: &Path, place: &Path) -> Result<Self> {
        let pair = Pair::start().await?;
        pair.create(DATABASE)?;
        let pace = Pace { install: schedule.install, step: Duration::ZERO };
        let spec = FleetSpec { pace, master_moves: schedule.master_moves, ..FleetSpec::new(CLUSTERS, NODES) };
        let fleet = Fleet::listening(&spec).await?;
        let mut coordinators = Vec::new();
        for number in 0..schedule.coordinators {
            let config = place.join(format!("coordinator-{number}.toml"));
            coordinators.push(coordinator(&pair, &listed(&fleet), program, config).await?);
        }
        let ratchet = Ratchet {
            program: program.to_owned(),
            config: place.join("coordinator-0.toml"),
            coordinators: addresses(&coordinators),
        };
        let mut stand = Self { pair, writable: true, fleet, coordinators, ratchet };
        stand.coordinators.iter_mut().try_for_each(Coordinator::start)?;
        stand.come_up().await?;
        Ok(stand)
    }

    /// Waits until somebody leads and all answer: that one is slow to start is no fault of a schedule.
    async fn come_up(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while !self.all_answer().await || self.leader_within(LOOK).await.is_none() {
            for coordinator in &mut self.coordinators {
                if let Some(status) = coordinator.supervise()? {
                    bail!("`ratchet serve` ended, {status}: {}", coordinator.log());
                }
            }
            ensure!(
                Instant::now() < until,
                "nobody leads, or one does not answer, although nothing is broken"
            );
        }
        Ok(())
    }

    async fn all_answer(&self) -> bool {
        for coordinator in &self.coordinators {
            if coordinator.leader().await.is_none() {
                return false;
            }
        }
        true
    }

    /// Copies what the servers of the database have written down to this directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_logs(&self, place: &Path) -> Result<()> {
        for (name, server) in [("primary", self.pair.primary()), ("standby", self.pair.standby())] {
            std::fs::copy(server.socket().join("log"), place.join(format!("database-{name}.log")))?;
        }
        Ok(())
    }

    /// Whether runs can go on: somebody who may lead is whole, and a server takes writes.
    pub fn is_able(&self) -> bool {
        self.writable && self.coordinators.iter().any(Coordinator::is_whole)
    }

    /// Which of the coordinators leads, if one says so in this time.
    pub async fn leader_within(&self, patience: Duration) -> Option<usize> {
        let until = Instant::now() + patience;
        loop {
            if let Some(leader) = self.leader().await {
                return Some(leader);
            }
            if Instant::now() >= until {
                return None;
            }
            sleep(LOOK).await;
        }
    }

    /// Which of those that are whole says that it leads, at the highest epoch if several do.
    async fn leader(&self) -> Option<usize> {
        let mut best = None;
        for (number, coordinator) in self.coordinators.iter().enumerate().filter(|(_, one)| one.is_whole()) {
            if let Some(Leader { leads: true, epoch, .. }) = coordinator.leader().await {
                best = best.max(Some((epoch, number)));
            }
        }
        best.map(|(_, number)| number)
    }
}

/// The clusters without labels: nothing selects by them.
fn listed(fleet: &Fleet) -> Vec<Listed> {
    let unlabelled = |listed| Listed { labels: BTreeMap::new(), ..listed };
    fleet.listed().into_iter().map(unlabelled).collect()
}

/// Host and port of each, one after the other.
fn addresses(coordinators: &[Coordinator]) -> String {
    let each: Vec<String> = coordinators.iter().map(|coordinator| coordinator.address.to_string()).collect();
    each.join(",")
}

/// A coordinator with ways of its own to both servers.
async fn coordinator(pair: &Pair, fleet: &[Listed], program: &Path, config: PathBuf) -> Result<Coordinator> {
    let mut proxies = Vec::new();
    for server in [pair.primary(), pair.standby()] {
        proxies.push(Proxy::to(server.port()).await?);
    }
    let hosts: Vec<String> = proxies.iter().map(|proxy| format!("127.0.0.1:{}", proxy.port())).collect();
    let address = free_address()?;
    let store = format!("postgres://{}:{}@{}/{DATABASE}", pg::USER, pg::PASSWORD, hosts.join(","));
    std::fs::write(&config, configuration(store, address, fleet))?;
    Ok(Coordinator::new(program.to_owned(), address, config, proxies))
}

fn configuration(store: String, listen: SocketAddr, fleet: &[Listed]) -> String {
    let place = Place { store, listen: Some(listen), packages: vec![TO], more: String::new() };
    ratchet_toml(&place, fleet)
}
