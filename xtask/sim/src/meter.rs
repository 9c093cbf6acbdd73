//! A client that writes to every database all the while and counts what it noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use serde::Serialize;
use tokio::sync::watch;

use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::redis_shard;

/// Between two writes.
const PACE: Duration = Duration::from_millis(2);

/// A running client: one writer a database, following its published endpoint.
#[derive(Debug)]
pub struct Meter {
    stop: watch::Sender<bool>,
    writers: JoinHandle<Vec<DatabaseReport>>,
}

/// What the client noticed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MeterReport {
    /// By database, in the order of their ids.
    pub databases: Vec<DatabaseReport>,
}

/// What the writer of one database noticed.
#[derive(Clone, Debug, Serialize)]
pub struct DatabaseReport {
    /// The database's id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Writes that were acknowledged.
    pub acknowledged: u64,
    /// Writes that were not.
    pub failed: u64,
    /// Acknowledged writes that were not there at the end.
    pub lost: u64,
    /// Whether everything could be read back; if not, `lost` is only what is known.
    pub read_back: bool,
    /// The longest time without an acknowledged write.
    pub longest_gap: Gap,
    /// The longest such time during the installs of each node, in milliseconds.
    pub gaps_by_node: BTreeMap<u32, u64>,
}

/// A time without an acknowledged write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// How long, in milliseconds.
    pub millis: u64,
    /// The node whose install ran at the time.
    pub during_install_of: Option<u32>,
}

impl Meter {
    /// Starts writing. Databases without real shards are left out.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn start(cluster: &Cluster) -> io::Result<Self> {
        let engine = cluster.engine();
        let stop = watch::Sender::new(false);
        let stopped = stop.subscribe();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let writers = std::thread::Builder::new()
            .name("meter".to_owned())
            .spawn(move || runtime.block_on(write_to_all(engine, stopped)))?;
        Ok(Self { stop, writers })
    }

    /// Stops writing, reads everything back and reports.
    pub fn report(self) -> MeterReport {
        self.stop.send_replace(true);
        let databases = self.writers.join().unwrap_or_else(|_| {
            tracing::error!("the meter panicked; its report is empty");
            Vec::new()
        });
        MeterReport { databases }
    }
}

async fn write_to_all(engine: Arc<Engine>, stopped: watch::Receiver<bool>) -> Vec<DatabaseReport> {
    let databases = engine.read(|model| {
        let real = |id: u32| model.primary_of(id, 0).is_some_and(|shard| shard.port != 0);
        model.databases.values().filter(|db| real(db.id)).cloned().collect::<Vec<_>>()
    });
    let mut writers = Vec::new();
    for db in databases {
        let groups = (0..db.groups).map(|group| Group::new(db.id, group)).collect();
        let writer = Writer { engine: Arc::clone(&engine), id: db.id, name: db.name, groups, failed: 0 };
        writers.push(tokio::spawn(writer.run(stopped.clone())));
    }
    let mut reports = Vec::new();
    for writer in writers {
        match writer.await {
            Ok(report) => reports.push(report),
            Err(error) => {
                tracing::error!(%error, "a writer panicked; its database is missing from the report")
            }
        }
    }
    reports
}

/// The writer of one database.
struct Writer {
    engine: Arc<Engine>,
    id: u32,
    name: String,
    groups: Vec<Group>,
    failed: u64,
}

/// One part of a database: its gaps must not be hidden by another part that goes on.
struct Group {
    db: u32,
    group: u32,
    connection: Option<MultiplexedConnection>,
    acknowledged: BTreeSet<u64>,
    last: Timestamp,
    longest: Gap,
    by_node: BTreeMap<u32, u64>,
}

impl Writer {
    async fn run(mut self, stopped: watch::Receiver<bool>) -> DatabaseReport {
        let mut value = 0;
        while !*stopped.borrow() {
            value += 1;
            for group in &mut self.groups {
                match group.write(&self.engine, value).await {
                    Ok(()) => group.acknowledge(&self.engine, value),
                    Err(_) => {
                        self.failed += 1;
                        group.connection = None;
                    }
                }
            }
            tokio::time::sleep(PACE).await;
        }
        self.finish().await
    }

    async fn finish(mut self) -> DatabaseReport {
        let (mut lost, mut acknowledged, mut read_back) = (0, 0, true);
        for group in &mut self.groups {
            group.close_gap(&self.engine);
            acknowledged += group.acknowledged.len() as u64;
            match group.read_all(&self.engine).await {
                Ok(found) => lost += group.acknowledged.difference(&found).count() as u64,
                Err(_) => read_back = false,
            }
        }
        let longest_gap =
            self.groups.iter().map(|group| group.longest).max_by_key(|gap| gap.millis).unwrap_or_default();
        let mut gaps_by_node = BTreeMap::new();
        for (node, millis) in self.groups.iter().flat_map(|group| &group.by_node) {
            let longest: &mut u64 = gaps_by_node.entry(*node).or_default();
            *longest = (*longest).max(*millis);
        }
        let (id, name, failed) = (self.id, self.name, self.failed);
        DatabaseReport { id, name, acknowledged, failed, lost, read_back, longest_gap, gaps_by_node }
    }
}

impl Group {
    fn new(db: u32, group: u32) -> Self {
        let (last, longest) = (Timestamp::now(), Gap::default());
        let (acknowledged, by_node) = (BTreeSet::new(), BTreeMap::new());
        Self { db, group, connection: None, acknowledged, last, longest, by_node }
    }

    fn key(&self) -> String {
        format!("ratchet-meter:{}", self.group)
    }

    /// The connection to where the model publishes the endpoint, opened anew after any error.
    async fn connection(&mut self, engine: &Engine) -> RedisResult<&mut MultiplexedConnection> {
        if self.connection.is_none() {
            let (address, port) = engine.read(|model| {
                let primary = model.primary_of(self.db, self.group);
                let place = primary
                    .and_then(|shard| Some((model.nodes.get(&shard.node)?.address.clone(), shard.port)));
                place.unwrap_or_default()
            });
            self.connection = Some(redis_shard::connect(&address, port).await?);
        }
        self.connection.as_mut().ok_or_else(|| (redis::ErrorKind::Io, "not connected").into())
    }

    async fn write(&mut self, engine: &Engine, value: u64) -> RedisResult<()> {
        let key = self.key();
        redis::cmd("SADD").arg(key).arg(value).exec_async(self.connection(engine).await?).await
    }

    fn acknowledge(&mut self, engine: &Engine, value: u64) {
        self.acknowledged.insert(value);
        self.close_gap(engine);
    }

    fn close_gap(&mut self, engine: &Engine) {
        let (from, now) = (self.last, Timestamp::now());
        self.last = now;
        let millis = u64::try_from(now.as_millisecond() - from.as_millisecond()).unwrap_or(0);
        let ran = |install: &&crate::model::Install| {
            install.started <= now && install.ended.is_none_or(|ended| ended >= from)
        };
        let during_install_of =
            engine.read(|model| model.installs.iter().rev().find(ran).map(|install| install.uid));
        if let Some(node) = during_install_of {
            let longest = self.by_node.entry(node).or_default();
            *longest = (*longest).max(millis);
        }
        if millis > self.longest.millis {
            self.longest = Gap { millis, during_install_of };
        }
    }

    async fn read_all(&mut self, engine: &Engine) -> RedisResult<BTreeSet<u64>> {
        self.connection = None;
        let key = self.key();
        redis::cmd("SMEMBERS").arg(key).query_async(self.connection(engine).await?).await
    }
}
