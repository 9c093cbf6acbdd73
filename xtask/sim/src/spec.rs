//! What a simulated cluster is made of: everything a test decides before it starts one.

use std::time::Duration;

use proto::{Arch, Version};

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
        Self { name: name.to_owned(), shards: 1, replication: true, persistence: true }
    }

    /// One persistent shard without a replica: it is down while its node is.
    pub fn single(name: &str) -> Self {
        Self { replication: false, ..Self::replicated(name) }
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
