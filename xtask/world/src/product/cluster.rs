//! One cluster of the product. Nothing ticks: whoever looks or changes something first lets happen what is due.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use proto::Version;
use sim::model::{Model, Services, ShardState};
use sim::tools::{Output, rladmin};
use sim::{ClusterSpec, Timing};

use crate::clock::HostClock;
use crate::history::History;
use crate::script::Sabotage;

/// How the cluster was, as far as promises go.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Since when it has not been healthy, in virtual milliseconds.
    pub unhealthy_since: Option<u64>,
    /// Who was master from when on, the latest last.
    pub masters: Vec<(u64, Option<u32>)>,
}

/// The simulated product of all nodes.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    clock: HostClock,
    history: History,
    sabotage: Option<Sabotage>,
    setting_kept: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    model: Model,
    health: Health,
    next_pid: u32,
}

impl Cluster {
    /// A cluster whose services have just been started; its nodes' files are below the directory.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn start(
        dir: &Path,
        spec: &ClusterSpec,
        history: History,
        sabotage: Option<Sabotage>,
    ) -> std::io::Result<Arc<Self>> {
        let clock = HostClock::new(history.began());
        let model = Model::new(spec, "10.0.0", clock.now());
        for uid in 1..=spec.nodes {
            super::write_root(&root(dir, uid), uid, spec.version)?;
        }
        let inner = Inner { model, health: Health::default(), next_pid: 1000 };
        let inner = Mutex::new(inner);
        let (dir, setting_kept) = (dir.to_owned(), AtomicBool::new(false));
        let cluster = Arc::new(Self { dir, clock, history, sabotage, setting_kept, inner });
        (1..=spec.nodes).for_each(|uid| cluster.start_services(uid));
        Ok(cluster)
    }

    /// Times of a product that is as slow as a small real one.
    pub fn timing() -> Timing {
        Timing {
            detect: Duration::from_secs(1),
            failover: Duration::from_secs(2),
            install: Duration::from_secs(8),
            load: Duration::from_secs(2),
        }
    }

    /// The root of a node's file system.
    pub fn root(&self, uid: u32) -> PathBuf {
        root(&self.dir, uid)
    }

    /// Looks at the cluster as it is now.
    pub fn read<T>(&self, read: impl FnOnce(&Model, Timestamp) -> T) -> T {
        self.change(|model, now| read(model, now))
    }

    /// Changes the cluster.
    pub fn change<T>(&self, change: impl FnOnce(&mut Model, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut inner = self.inner();
        inner.catch_up(now, &self.history);
        let result = change(&mut inner.model, now);
        inner.catch_up(now, &self.history);
        result
    }

    /// What `rladmin` does and prints on a node: the truth, unless something is sabotaged.
    pub fn rladmin(&self, uid: u32, args: &[String]) -> Output {
        self.change(|model, now| {
            let mut shown = model.clone();
            let changes = args.first().is_some_and(|word| word == "tune");
            let pretended = match self.sabotage {
                Some(Sabotage::HealthInvented) if !changes => invent_health(&mut shown, now),
                Some(Sabotage::OtherMasterShown) if !changes => {
                    shown.master = shown.nodes.keys().next_back().copied();
                    true
                }
                Some(Sabotage::SettingKept) => self.keep_setting(&mut shown, args),
                Some(_) | None => false,
            };
            rladmin::run(if pretended { &mut shown } else { model }, uid, args, now)
        })
    }

    /// From the moment on at which the setting is put back, it only looks so.
    fn keep_setting(&self, shown: &mut Model, args: &[String]) -> bool {
        let (key, original) = GRACE;
        let put_back = args.iter().map(String::as_str).eq(["tune", "cluster", key, original]);
        if put_back || self.setting_kept.load(Ordering::SeqCst) {
            self.setting_kept.store(true, Ordering::SeqCst);
            shown.config.insert(key.to_owned(), original.to_owned());
            return true;
        }
        false
    }

    /// How the cluster was up to now.
    pub fn health(&self) -> Health {
        self.change(|_, _| ());
        self.inner().health.clone()
    }

    /// Starts a node's services at the version on its disk. Nothing to do if they run.
    pub fn start_services(&self, uid: u32) {
        if self.read(|model, _| model.nodes.get(&uid).is_none_or(|node| node.is_up())) {
            return;
        }
        let Ok(version) = self.version_on_disk(uid) else {
            self.history.note("world", format!("the services of n{uid} find no version on their disk"));
            return;
        };
        let pid = {
            let mut inner = self.inner();
            inner.next_pid += 1;
            inner.next_pid
        };
        self.change(|model, now| model.services_up(uid, pid, version, now));
    }

    /// Ends a node's services as a crash would.
    pub fn kill_services(&self, uid: u32) {
        self.change(|model, now| model.services_down(uid, now));
    }

    /// Stops a node's services politely: its primaries are taken over first.
    pub fn stop_services(&self, uid: u32) {
        self.change(|model, now| {
            for promotion in model.planned_takeovers(uid) {
                model.promote(promotion, now);
            }
            model.services_down(uid, now);
        });
    }

    /// Whether a node's services run.
    pub fn is_up(&self, uid: u32) -> bool {
        self.read(|model, _| {
            model.nodes.get(&uid).is_some_and(|node| matches!(node.services, Services::Up { .. }))
        })
    }

    /// The version on a node's disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn version_on_disk(&self, uid: u32) -> std::io::Result<Version> {
        super::files::version_on_disk(&self.root(uid))
    }

    /// Writes the version on a node's disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_version(&self, uid: u32, version: Version) -> std::io::Result<()> {
        super::files::write_version(&self.root(uid), version)
    }

    /// What is behind the lock is whole between any two statements.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Lets happen what is due: elections, loading shards, fail-overs.
    fn catch_up(&mut self, now: Timestamp, history: &History) {
        let before = self.model.master;
        self.model.elect(now);
        // Twice: a replica syncs from a primary that has just finished loading.
        self.model.advance_modelled(now);
        for promotion in self.model.due_promotions(now) {
            self.model.promote(promotion, now);
        }
        self.model.advance_modelled(now);
        let at = history.now();
        let master = self.model.master;
        if self.health.masters.last().is_none_or(|(_, last)| *last != master) {
            self.health.masters.push((at, master));
        }
        if before != master {
            history.note("product", format!("the master is {}", named(master)));
        }
        let healthy = master.is_some() && self.model.is_settled() && self.model.tasks.is_empty();
        self.health.unhealthy_since = match (healthy, self.health.unhealthy_since) {
            (true, _) => None,
            (false, since) => since.or(Some(at)),
        };
    }
}

/// The setting that a run of the simulated worlds changes, and what it is before.
const GRACE: (&str, &str) = ("slave_ha_grace_period", "600");

/// Makes all look well.
fn invent_health(model: &mut Model, now: Timestamp) -> bool {
    for node in model.nodes.values_mut() {
        node.services = Services::Up { pid: 1, since: now };
        node.hold = None;
    }
    model.shards.values_mut().for_each(|shard| shard.state = ShardState::Ok);
    model.master = model.master.or(Some(1));
    true
}

fn named(master: Option<u32>) -> String {
    master.map_or_else(|| "nobody".to_owned(), |uid| format!("n{uid}"))
}

fn root(dir: &Path, uid: u32) -> PathBuf {
    dir.join(format!("n{uid}"))
}
