//! What the service is made of, and what every call needs.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use proto::{Clock, ClusterName, Failure, Package, RunId};
use tokio_util::sync::CancellationToken;

use super::drivers::Drivers;
use super::forwarding::Peers;
use super::inventory::Inventory;
use super::leading::Leadership;
use super::notices::Notices;
use super::open_runs::OpenRuns;
use super::rollouts::{Rollouts, Windows};
use super::roster::Roster;
use crate::agents::{Agents, Dialer};
use crate::catalogue::{CatalogueEntry, Origin, VendorChecksums};
use crate::config::{ClusterConfig, Config, PackageConfig};
use crate::failures::chain;
use crate::hooks::Hooks;
use crate::metrics::Metrics;
use crate::run::{Always, Record, Run, World, replay};
use crate::store::{self, RunListing, Store, find_run};
use crate::tables::{self, SignedFile};

/// The vendor's checksums, read once: there are thousands, and a simulation has many coordinators.
static PUBLISHED: LazyLock<Result<VendorChecksums, String>> =
    LazyLock::new(|| VendorChecksums::published().map_err(|error| chain(&error)));

/// The coordinator's parts.
#[derive(Debug)]
pub struct Core {
    pub(super) config: Config,
    pub(super) world: World,
    pub(super) checksums: &'static VendorChecksums,
    pub(super) drivers: Arc<Drivers>,
    /// Agents that connect by themselves, and where they belong.
    pub(super) roster: Roster,
    pub(super) leadership: Leadership,
    pub(super) peers: Peers,
    pub(super) inventory: Arc<Inventory>,
    pub(super) open_runs: OpenRuns,
    /// Cancelled when it is about to stop serving.
    pub(super) closing: CancellationToken,
    /// What this coordinator counts.
    pub(super) metrics: Arc<Metrics>,
    /// Who is told of news.
    pub(super) notices: Arc<Notices>,
    /// Whether each run that is driven here tells its own news: nobody else may be there to do it.
    pub(super) tells_own: bool,
    pub(super) rollouts: Arc<Rollouts>,
    /// Held while a node enrols: one at a time, so that nothing is signed twice.
    pub(super) enrolling: tokio::sync::Mutex<()>,
}

impl Core {
    /// Opens the store and puts the parts together.
    ///
    /// # Errors
    /// The table or the advisories that the configuration names cannot be used, or the store cannot be opened.
    pub async fn open(config: Config) -> Result<Self, Failure> {
        let table = tables::table(config.paths.as_deref())?;
        let advisories = tables::advisories(config.advisories.as_deref())?;
        let store = store::open(&config.store.0).await?;
        let agents = Arc::new(Agents::new(Dialer::network(config.security.clone())));
        let (table, advisories) = (Arc::new(table), Arc::new(advisories));
        let (clock, watch_every) = (Clock::system(), config.watch_every);
        let hooks = Hooks::of(config.hooks.as_ref());
        let signed = SignedFile::of(config.catalogue.as_ref());
        Self::with(
            config,
            World {
                store,
                agents,
                table,
                advisories,
                hooks,
                signed,
                admission: Arc::new(Always),
                clock,
                watch_every,
            },
        )
        .map(Self::honouring_windows)
    }

    /// Turns begin only in the windows of the rollout that a run belongs to, and not while the fleet is halted.
    #[must_use]
    pub fn honouring_windows(mut self) -> Self {
        self.world.admission =
            Arc::new(Windows::new(Arc::clone(&self.world.store), Arc::clone(&self.rollouts)));
        self
    }

    /// Puts the parts together in a given world: its store, its agents, its clock.
    ///
    /// # Errors
    /// The built-in checksums are damaged, or a rule of the configuration.
    pub fn with(config: Config, world: World) -> Result<Self, Failure> {
        let checksums = PUBLISHED
            .as_ref()
            .map_err(|error| Failure::bug("the built-in checksums are damaged").because(error.clone()))?;
        let roster = Roster::of(&config.clusters)?;
        let metrics = Arc::new(Metrics::default());
        let (store, clock) = (Arc::clone(&world.store), world.clock.clone());
        let notices = Arc::new(Notices::new(&config.notify, store, clock, Arc::clone(&metrics)));
        Ok(Self {
            config,
            world,
            checksums,
            drivers: Arc::default(),
            roster,
            rollouts: Arc::default(),
            leadership: Leadership::alone(),
            peers: Peers::default(),
            inventory: Arc::default(),
            open_runs: OpenRuns::default(),
            closing: CancellationToken::new(),
            metrics,
            notices,
            tells_own: false,
            enrolling: tokio::sync::Mutex::default(),
        })
    }

    /// For a coordinator that lives no longer than what it was started for, and never leads.
    pub fn telling_of_own_runs(self) -> Self {
        Self { tells_own: true, ..self }
    }

    /// What this coordinator counts, and what others set.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The same, answering others at this address: from then on it leads or stands by.
    pub(super) fn serving(self, address: Option<String>) -> Self {
        Self { leadership: Leadership::served(address), ..self }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.world.store.as_ref()
    }

    pub(super) fn cluster(&self, name: &str) -> Result<&ClusterConfig, Failure> {
        self.config.clusters.iter().find(|cluster| cluster.name.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> = self.config.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
            let remedy = format!("use one of: {}; or add a [[cluster]] to ratchet.toml", known.join(", "));
            Failure::operator(
                "no-such-cluster",
                format!("there is no cluster `{name}` in the configuration"),
                remedy,
            )
        })
    }

    /// Every package that the configuration or an operator has named.
    pub(super) async fn catalogue(&self) -> Result<Vec<CatalogueEntry>, Failure> {
        let mut entries: Vec<CatalogueEntry> = self
            .config
            .packages
            .iter()
            .map(|package| self.entry(configured(package), None, Origin::Config))
            .collect();
        for stored in self.store().packages().await? {
            if entries.iter().all(|entry| entry.package.sha256 != stored.package.sha256) {
                let entry = self.entry(stored.package, stored.md5.as_deref(), Origin::Store);
                let added_by = Some(stored.added_by).filter(|by| !by.is_empty());
                entries.push(CatalogueEntry { added_at: Some(stored.added_at), added_by, ..entry });
            }
        }
        Ok(entries)
    }

    fn entry(&self, package: Package, md5: Option<&str>, origin: Origin) -> CatalogueEntry {
        let verdict = self.checksums.verdict(package.version, &package.os, package.arch, package.sha256, md5);
        CatalogueEntry { package, added_at: None, added_by: None, verdict, origin }
    }

    pub(super) async fn find(&self, key: &str) -> Result<RunListing, Failure> {
        Ok(find_run(&self.store().runs().await?, key)?)
    }

    /// A run as its journal leaves it, and whether somebody drives it.
    pub(super) async fn load(&self, id: &RunId) -> Result<(Run, bool), Failure> {
        self.load_with_journal(id).await.map(|(run, driven, _)| (run, driven))
    }

    /// The same, with the journal.
    pub(super) async fn load_with_journal(&self, id: &RunId) -> Result<(Run, bool, Vec<Record>), Failure> {
        // Asked before the journal is read: a driver that ends in between has written how it ended.
        let cluster = self.find(id.as_str()).await?.cluster;
        let driven = self.store().driver(&cluster).await?.is_some();
        let records = self.store().journal(id, 1).await?;
        Ok((replay(id, &records)?, driven, records))
    }

    /// The run of a cluster that is not over, if there is one.
    pub(super) async fn open_run(&self, cluster: &ClusterName) -> Result<Option<Run>, Failure> {
        for listing in
            self.store().runs().await?.into_iter().rev().filter(|listing| listing.cluster == *cluster)
        {
            let (run, _) = self.load(&listing.id).await?;
            if !matches!(run.phase, crate::run::Phase::Ended(_)) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }
}

fn configured(package: &PackageConfig) -> Package {
    Package {
        sha256: package.sha256,
        version: package.version,
        os: package.os.clone(),
        arch: package.arch,
        size: package.size,
        sources: vec![package.url.clone()],
    }
}
