//! Clusters of a fleet with their agents, a clock that a test has stopped, and coordinators that lead one after the other.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proto::wire::UNREACHABLE;
use proto::{Clock, ClusterName, Fact, Failure, RunId};
use tokio::time::{Instant, sleep};

use super::agent::FakeAgent;
use super::stage::name;
use super::steady::{Steady, steady};
use super::working::Versions;
use crate::agents::{Agents, Dialer};
use crate::config::Config;
use crate::documents::{RolloutDocument, RolloutState};
use crate::paths::Table;
use crate::rollout::{Event, Record};
use crate::run::{Event as RunEvent, Record as RunRecord, World};
use crate::server::Core;
use crate::server::rollouts::Asked;
use crate::store::{SqliteStore, Store};

/// How many nodes each cluster has.
const NODES: u32 = 3;

/// Clusters and their agents.
pub(super) struct Fleet {
    clusters: Vec<(ClusterName, Vec<FakeAgent>)>,
    directory: tempfile::TempDir,
    clock: Clock,
}

/// A coordinator that leads.
pub(super) struct Life {
    pub(super) core: Arc<Core>,
    pub(super) store: Arc<Steady>,
}

impl Fleet {
    /// At this moment, with a cluster for each of these names.
    pub(super) fn new(now: &str, names: &[&str]) -> Self {
        let (start, began): (Timestamp, _) = (now.parse().unwrap(), Instant::now());
        let clock = Clock::from_fn(Arc::new(move || start.checked_add(began.elapsed()).unwrap()));
        let agents = || {
            let versions = Versions::default();
            let agent = |uid| FakeAgent::new(uid, versions.clone()).with_clock(clock.clone());
            let agents: Vec<FakeAgent> = (1..=NODES).map(agent).collect();
            agents.iter().for_each(|agent| agent.with(|state| state.works = true));
            agents
        };
        let clusters = names.iter().map(|cluster| (name(cluster), agents())).collect();
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self { clusters, directory, clock }
    }

    pub(super) fn agents(&self, cluster: &str) -> &[FakeAgent] {
        &self.clusters.iter().find(|(known, _)| known.as_str() == cluster).unwrap().1
    }

    /// Every step on every node takes so long.
    pub(super) fn steps_take(&self, duration: Duration) {
        let agents = self.clusters.iter().flat_map(|(_, agents)| agents);
        agents.for_each(|agent| agent.with(|state| state.steps_take = duration));
    }

    /// Installs on a cluster fail, or work again.
    pub(super) fn works(&self, cluster: &str, works: bool) {
        self.agents(cluster).iter().for_each(|agent| agent.with(|state| state.works = works));
    }

    /// Agents do not tell with whom their clusters share Active-Active databases, as without a REST credential.
    pub(super) fn tells_no_partners(&self) {
        let agents = self.clusters.iter().flat_map(|(_, agents)| agents);
        agents.for_each(|agent| agent.with(|state| state.untold = vec![Fact::ActiveActive]));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As it is without these clusters.
    fn config(&self, without: &[&str]) -> Config {
        let mut text = format!(
            "insecure_loopback = true\n[[package]]\nurl = \"https://mirror.internal/p.tar\"\nsha256 = \"{}\"\n\
             version = \"7.8.2-34\"\nos = \"jammy\"\narch = \"amd64\"\n[deadlines]\nreach = \"1s\"\n",
            "ab".repeat(32)
        );
        let there = |(_, (cluster, _)): &(usize, &(ClusterName, Vec<FakeAgent>))| {
            !without.contains(&cluster.as_str())
        };
        for (at, (cluster, agents)) in self.clusters.iter().enumerate().filter(there) {
            let agents: Vec<String> = (0..agents.len()).map(|node| format!("\"n{at}-{node}:1\"")).collect();
            text += &format!(
                "[[cluster]]\nname = \"{cluster}\"\nagents = [{}]\nlabels = {{ of = \"{cluster}\" }}\n",
                agents.join(", ")
            );
        }
        Config::parse(&text, Path::new("ratchet.toml")).unwrap()
    }

    fn dialer(&self) -> Dialer {
        let channels: Vec<Vec<_>> =
            self.clusters.iter().map(|(_, agents)| agents.iter().map(FakeAgent::serve).collect()).collect();
        Dialer::through(Arc::new(move |address: &str| {
            let place = address.trim_start_matches('n').trim_end_matches(":1").split_once('-');
            let number = |text: &str| text.parse::<usize>().ok();
            let place = place.and_then(|(cluster, node)| Some((number(cluster)?, number(node)?)));
            let channel = place.and_then(|(cluster, node)| channels.get(cluster)?.get(node).cloned());
            channel.ok_or_else(|| Failure::retry(UNREACHABLE, "there is no such agent"))
        }))
    }

    /// A coordinator that takes the lead with the first rollout that is applied.
    pub(super) async fn life(&self) -> Life {
        self.life_without(&[]).await
    }

    /// The same, after these clusters were taken out of the configuration.
    pub(super) async fn life_without(&self, clusters: &[&str]) -> Life {
        let location = format!("sqlite://{}", self.directory.path().join("ratchet.db").display());
        let sqlite: Arc<dyn Store> = Arc::new(steady(SqliteStore::open(&location)).await.unwrap());
        let store = Arc::new(Steady::new(sqlite));
        let config = self.config(clusters);
        let world = World {
            store: Arc::clone(&store) as Arc<dyn Store>,
            agents: Arc::new(Agents::new(self.dialer())),
            table: Arc::new(Table::vendor().unwrap()),
            advisories: Arc::new(crate::advisories::Advisories::vendor().unwrap()),
            hooks: crate::hooks::Hooks::of(None),
            signed: Default::default(),
            admission: Arc::new(crate::run::Always),
            clock: self.clock.clone(),
            watch_every: config.watch_every,
        };
        Life { core: Arc::new(Core::with(config, world).unwrap().honouring_windows()), store }
    }
}

impl Life {
    /// Applies a rollout of the usual target with these further lines.
    pub(super) async fn apply(&self, rest: &str) -> RolloutDocument {
        let text = format!("name = \"q4\"\ntarget = \"7.8.2-34\"\n{rest}");
        self.core.apply_rollout(&text, "ann").await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    pub(super) async fn ask(&self, what: &str) -> RolloutDocument {
        let asked = Asked { what: what.to_owned(), wave: None, cluster: None };
        self.core.ask_rollout("q4", &asked, "ann").await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    pub(super) async fn show(&self) -> RolloutDocument {
        self.core.show_rollout("q4").await.unwrap()
    }

    /// Waits until the rollout is such.
    pub(super) async fn until(&self, such: impl Fn(&RolloutDocument) -> bool) -> RolloutDocument {
        for _ in 0..2_000 {
            let document = self.show().await;
            if such(&document) {
                return document;
            }
            sleep(Duration::from_secs(1)).await;
        }
        panic!("it never is: {:#?}", self.show().await);
    }

    /// Waits until the rollout stands still or is over.
    pub(super) async fn to_rest(&self) -> RolloutDocument {
        self.until(|document| document.brief.state != RolloutState::Active).await
    }

    pub(super) async fn journal(&self) -> Vec<Record> {
        self.store.rollout_journal(&"q4".parse().unwrap(), 1).await.unwrap()
    }

    /// Waits until the rollout's journal has so many events, or the rollout is over.
    pub(super) async fn until_written(&self, events: usize) {
        loop {
            let journal = self.journal().await;
            let over = matches!(journal.last().map(|record| &record.event), Some(Event::Ended(_)));
            if journal.len() >= events || over {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// As if the process were killed.
    pub(super) fn kill(self) {
        self.store.kill();
    }

    /// All runs, with their journals.
    pub(super) async fn runs(&self) -> Vec<(ClusterName, RunId, Vec<RunRecord>)> {
        let mut runs = Vec::new();
        for listing in self.store.runs().await.unwrap() {
            let records = self.store.journal(&listing.id, 1).await.unwrap();
            runs.push((listing.cluster, listing.id, records));
        }
        runs
    }

    /// Clusters in the order in which they were started.
    pub(super) async fn started(&self) -> Vec<String> {
        let started = self.journal().await.into_iter().filter_map(|record| match record.event {
            Event::Starting { cluster, .. } => Some(cluster.to_string()),
            _ => None,
        });
        started.collect()
    }
}

/// When a run was created, and when its journal ends.
pub(super) fn span(records: &[RunRecord]) -> (Timestamp, Timestamp) {
    (records[0].at, records.last().unwrap().at)
}

/// When the turns of a run began, and when each ended.
pub(super) fn turns(records: &[RunRecord]) -> Vec<(Timestamp, Timestamp)> {
    let begun = records.iter().filter(|record| matches!(record.event, RunEvent::GatePassed { .. }));
    let ended = records.iter().filter(|record| matches!(record.event, RunEvent::Witnessed { .. }));
    begun.map(|record| record.at).zip(ended.map(|record| record.at)).collect()
}
