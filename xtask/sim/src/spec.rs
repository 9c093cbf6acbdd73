//! What a simulated cluster is made of: everything a test decides before it starts one.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::{Arch, Version};
use serde::Serialize;

/// The most nodes the vendor supports in one cluster (fact sheet §6, check 41).
pub const MAX_NODES: u32 = 35;

/// A cluster to be started by [`crate::Cluster::start`].
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    /// The cluster's name; it appears in host names and endpoints, so two clusters never look alike.
    pub name: String,
    /// How many nodes, 1 to 35; their uids are 1 to `nodes`.
    pub nodes: u32,
    /// The version every node runs at the start.
    pub version: Version,
    /// The databases, numbered from 1 in this order.
    pub databases: Vec<DatabaseSpec>,
    /// The modules that its databases can use.
    pub modules: Vec<Module>,
    /// The operating system token of every node, as in package names (fact sheet §1.5), for instance `jammy`.
    pub os: String,
    /// The architecture of every node.
    pub arch: Arch,
    /// What stands behind a shard.
    pub shards: ShardMode,
    /// How long things take.
    pub timing: Timing,
    /// Statements of the fault language ([`crate::fault`]), in force from the first moment.
    pub faults: String,
}

/// One database.
#[derive(Clone, Debug)]
pub struct DatabaseSpec {
    /// Its name; may contain blanks, as the product allows.
    pub name: String,
    /// How many primary shards.
    pub shards: u32,
    /// Whether each primary has a replica on another node.
    pub replication: bool,
    /// Whether writes are kept in an append-only file across a restart.
    pub persistence: bool,
    /// The modules it uses.
    pub modules: Vec<UsedModule>,
    /// Settings that are not as new databases have them; by the keys of `rladmin info db`.
    pub config: BTreeMap<String, String>,
}

/// A module that a cluster has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Module {
    /// Its name; may contain blanks, as that of `RediSearch 2` does.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The oldest Redis version it works with.
    pub min_redis_version: String,
}

/// A module that a database uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsedModule {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its arguments.
    pub args: String,
}

/// What stands behind a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardMode {
    /// A real `redis-server` process.
    Redis,
    /// Only a row in the model: for many nodes, and for tests that need no data.
    Modelled,
}

/// How long things take in the simulated product.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From the loss of a node's services until the others show it as `DOWN` and elect another master.
    pub detect: Duration,
    /// From the loss of a primary shard's node until its replica is promoted.
    pub failover: Duration,
    /// How long replacing the files takes within `install.sh`.
    pub install: Duration,
    /// How long a modelled shard loads after its node came back.
    pub load: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            detect: Duration::from_millis(150),
            failover: Duration::from_millis(300),
            install: Duration::from_millis(400),
            load: Duration::from_millis(150),
        }
    }
}

impl DatabaseSpec {
    /// One replicated, persistent shard.
    pub fn replicated(name: &str) -> Self {
        let (modules, config) = (Vec::new(), BTreeMap::new());
        Self { name: name.to_owned(), shards: 1, replication: true, persistence: true, modules, config }
    }

    /// One persistent shard without a replica: it is down while its node is.
    pub fn single(name: &str) -> Self {
        Self { replication: false, ..Self::replicated(name) }
    }

    /// The same database with one module more.
    pub fn with_module(mut self, name: &str, version: &str, args: &str) -> Self {
        let [name, version, args] = [name, version, args].map(str::to_owned);
        self.modules.push(UsedModule { name, version, args });
        self
    }

    /// The same database with a setting that is not as new databases have it.
    pub fn with_config(mut self, key: &str, value: &str) -> Self {
        self.config.insert(key.to_owned(), value.to_owned());
        self
    }
}

impl ClusterSpec {
    /// Three `jammy`/amd64 nodes with two replicated databases on real `redis-server` processes.
    pub fn three_nodes(version: Version) -> Self {
        Self {
            name: "cluster".to_owned(),
            nodes: 3,
            version,
            databases: vec![DatabaseSpec::replicated("orders"), DatabaseSpec::replicated("sessions")],
            modules: bundled_modules(),
            os: "jammy".to_owned(),
            arch: Arch::Amd64,
            shards: ShardMode::Redis,
            timing: Timing::default(),
            faults: String::new(),
        }
    }

    /// As many nodes as asked for, shards modelled only: starts without any `redis-server`.
    pub fn modelled(nodes: u32, version: Version) -> Self {
        Self { nodes, shards: ShardMode::Modelled, ..Self::three_nodes(version) }
    }

    /// The same cluster under another name.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The same cluster with these statements of the fault language in force from the start.
    pub fn with_faults(self, faults: &str) -> Self {
        Self { faults: faults.to_owned(), ..self }
    }
}

/// Modules as the product brings them along.
fn bundled_modules() -> Vec<Module> {
    let bundled = [
        ("RedisBloom", "2.6.8"),
        ("RediSearch 2", "2.8.9"),
        ("RedisJSON", "2.6.8"),
        ("RedisTimeSeries", "1.10.9"),
    ];
    let module = |(name, version): (&str, &str)| Module {
        name: name.to_owned(),
        version: version.to_owned(),
        min_redis_version: "7.1".to_owned(),
    };
    bundled.map(module).to_vec()
}
