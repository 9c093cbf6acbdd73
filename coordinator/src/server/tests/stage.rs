//! A store, three agents, and coordinators on them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use proto::wire::UNREACHABLE;
use proto::{Claim, Clock, ClusterName, Epoch, Failure, RunId};

use super::agent::FakeAgent;
use super::working::Versions;
use crate::agents::{Agents, Dialer};
use crate::config::Config;
use crate::paths::Table;
use crate::plan::Plan;
use crate::run::{Deadlines, Event, Request, World};
use crate::server::Core;
use crate::store::{Acquire, Lease, SqliteStore, Store};

pub(super) struct Stage {
    pub(super) agents: Vec<FakeAgent>,
    /// More of the configuration.
    pub(super) more: String,
    directory: tempfile::TempDir,
}

pub(super) fn name(text: &str) -> ClusterName {
    text.parse().unwrap()
}

pub(super) fn id(text: &str) -> RunId {
    text.parse().unwrap()
}

pub(super) fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

impl Stage {
    pub(super) fn new() -> Self {
        let versions = Versions::default();
        let agents = (1..=3).map(|uid| FakeAgent::new(uid, versions.clone())).collect();
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self { agents, more: String::new(), directory }
    }

    /// The package of the usual plan is in the configuration.
    pub(super) fn with_package(&mut self) {
        self.more += &format!(
            "[[package]]\nurl = \"https://mirror.internal/p.tar\"\nsha256 = \"{}\"\nversion = \"7.8.2-34\"\n\
             os = \"jammy\"\narch = \"amd64\"\n",
            "ab".repeat(32)
        );
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Another process's view of a store.
    pub(super) async fn store(&self, file: &str) -> SqliteStore {
        let path = self.directory.path().join(file);
        SqliteStore::open(&format!("sqlite://{}", path.display())).await.unwrap()
    }

    /// A coordinator on the usual store.
    pub(super) async fn core(&self) -> Core {
        self.core_on("ratchet.db").await
    }

    /// A coordinator on a store of its own.
    pub(super) async fn core_on(&self, file: &str) -> Core {
        let plain = if self.more.contains("[tls]") { "" } else { "insecure_loopback = true\n" };
        let text = "[[cluster]]\nname = \"orders\"\n\
                    agents = [\"n1:1\", \"n2:1\", \"n3:1\"]\n[deadlines]\nreach = \"1s\"\n";
        let text = format!("{plain}{text}{}", self.more);
        let config = Config::parse(&text, Path::new("ratchet.toml")).unwrap();
        let channels: Vec<_> = self.agents.iter().map(FakeAgent::serve).collect();
        let dialer = Dialer::through(Arc::new(move |address: &str| {
            let number = address.strip_prefix('n').and_then(|rest| rest.split(':').next()?.parse().ok());
            let channel = number.and_then(|number: usize| channels.get(number - 1));
            channel.cloned().ok_or_else(|| Failure::retry(UNREACHABLE, "there is no such agent"))
        }));
        let world = World {
            store: Arc::new(self.store(file).await),
            agents: Arc::new(Agents::new(dialer)),
            table: Arc::new(Table::vendor().unwrap()),
            advisories: Arc::new(crate::advisories::Advisories::vendor().unwrap()),
            hooks: crate::hooks::Hooks::of(config.hooks.as_ref()),
            signed: crate::tables::SignedFile::of(config.catalogue.as_ref()),
            admission: Arc::new(crate::run::Always),
            clock: Clock::from_fn(Arc::new(noon)),
            watch_every: config.watch_every,
        };
        Core::with(config, world).unwrap()
    }

    /// All nodes are held for a run.
    pub(super) fn held(&self, run: &str, epoch: u64) {
        self.agents.iter().for_each(|agent| held(agent, run, epoch));
    }

    /// How each node is held: the run, or nobody.
    pub(super) fn holders(&self) -> Vec<Option<String>> {
        let holder =
            |agent: &FakeAgent| agent.with(|state| state.claim.as_ref().map(|claim| claim.run.to_string()));
        self.agents.iter().map(holder).collect()
    }

    pub(super) fn obeyed(&self) -> Vec<u64> {
        self.agents.iter().map(|agent| agent.with(|state| state.highest.0)).collect()
    }
}

/// A node is held for a run.
pub(super) fn held(agent: &FakeAgent, run: &str, epoch: u64) {
    agent.with(|state| {
        state.highest = Epoch(epoch);
        state.claim = Some(claim(run, epoch));
    });
}

pub(super) fn claim(run: &str, epoch: u64) -> Claim {
    Claim {
        run: id(run),
        cluster: name("orders"),
        epoch: Epoch(epoch),
        holder: "bob@ops2 (process 41)".to_owned(),
        since: "2026-06-01T09:00:00Z".parse().unwrap(),
    }
}

/// A run that its coordinator left right after the start. Gives the lease that the coordinator had.
pub(super) async fn begun(store: &SqliteStore, cluster: &str, run: &str) -> Lease {
    begun_with(store, cluster, run, &[]).await
}

/// The same, of a plan that accepts some findings.
pub(super) async fn begun_with(store: &SqliteStore, cluster: &str, run: &str, accepted: &[&str]) -> Lease {
    let accepted = accepted.iter().map(|text| text.parse().unwrap()).collect();
    let lease = store.acquire(&name(cluster), "alice@ops1 (process 4)", Acquire::IfFree).await.unwrap();
    let created = Event::Created {
        plan: Box::new(Plan { accepted, ..plan(cluster) }),
        prepare_only: false,
        deadlines: Deadlines { reach: std::time::Duration::from_secs(1), ..Deadlines::default() },
        by: "alice".to_owned(),
    };
    store.create(&lease, &id(run), noon(), &created).await.unwrap();
    append(store, &lease, run, Event::Driving { holder: "alice@ops1 (process 4)".to_owned() }).await;
    lease
}

pub(super) async fn append(store: &SqliteStore, lease: &Lease, run: &str, event: Event) {
    let seq = store.journal(&id(run), 1).await.unwrap().len() as u64 + 1;
    store.append(lease, &id(run), seq, noon(), &event).await.unwrap();
}

pub(super) async fn paused(store: &SqliteStore, lease: &Lease, run: &str) {
    append(store, lease, run, Event::Requested { request: Request::Pause, by: "alice".to_owned() }).await;
    append(store, lease, run, Event::Paused).await;
}

fn plan(cluster: &str) -> Plan {
    let sha256 = "ab".repeat(32);
    let role = |uid: u32| if uid == 1 { "master" } else { "replica" };
    let node = |uid: u32| {
        serde_json::json!({
            "uid": uid, "agent": format!("n{uid}:1"), "address": format!("192.0.2.{uid}"),
            "hostname": format!("rs{uid}"), "installed": "7.4.2-54", "role": role(uid), "os": "jammy",
            "arch": "amd64", "install_args": ["-y"],
        })
    };
    let turn =
        |uid: u32| serde_json::json!({"node": uid, "from": "7.4.2-54", "package": sha256, "role": role(uid)});
    let value = serde_json::json!({
        "schema": "ratchet.plan/1", "cluster": cluster, "made_at": noon(), "target": "7.8.2-34",
        "table_digest": sha256, "nodes": [node(1), node(2), node(3)],
        "hops": [{
            "from": "7.4.2-54", "to": "7.8.2-34", "source": "the table", "status": "current",
            "turns": [turn(1), turn(2), turn(3)], "already_there": [],
        }],
        "packages": [{
            "sha256": sha256, "version": "7.8.2-34", "os": "jammy", "arch": "amd64", "size": null,
            "sources": ["https://mirror.internal/p.tar"],
        }],
        "findings": [], "notes": [],
    });
    serde_json::from_value(value).unwrap()
}

/// The plan as a command line sends it.
pub(super) fn plan_json(cluster: &str) -> String {
    serde_json::to_string(&plan(cluster)).unwrap()
}
