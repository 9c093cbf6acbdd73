//! The one truth about a simulated cluster: plain values, changed only by pure functions that are given the time.

mod install;
mod links;
mod nodes;
mod settings;
mod shards;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::{Arch, Version};
use serde::{Deserialize, Serialize};

pub use install::{Install, InstallState};
pub use shards::Promotion;
pub use world::Order;

use crate::fault::{RladminFault, RlcheckLie, Script, ShardHold};
use crate::spec::{ClusterSpec, Module, ShardMode, UsedModule};

/// A cluster as it is right now.
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    /// The cluster's name.
    pub name: String,
    /// Operating system token of every node.
    pub os: String,
    /// Architecture of every node.
    pub arch: Arch,
    /// The master node's uid; none while there is no quorum to elect one.
    pub master: Option<u32>,
    /// By uid.
    pub nodes: BTreeMap<u32, Node>,
    /// By id, the `N` of `db:N`.
    pub databases: BTreeMap<u32, Database>,
    /// By id, the `N` of `redis:N`.
    pub shards: BTreeMap<u32, Shard>,
    /// Running tasks.
    pub tasks: Vec<Task>,
    /// Cluster settings as `rladmin info cluster` shows them.
    pub config: BTreeMap<String, String>,
    /// The modules that databases can use.
    pub modules: Vec<Module>,
    /// The installer's mark of an upgrade in progress.
    pub upgrade_mode: bool,
    /// The cluster store's replication link.
    pub ccs_link_up: bool,
    /// Colours and chatter in `rladmin` output.
    pub noise: bool,
    /// Every start of `install.sh`, oldest first.
    pub installs: Vec<Install>,
    /// What happened, oldest first.
    pub history: Vec<Event>,
    /// Whether real processes stand behind the shards.
    #[serde(skip)]
    pub(crate) mode: ShardMode,
    #[serde(skip)]
    pub(crate) timing: crate::Timing,
    #[serde(skip)]
    pub(crate) script: Script,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// Its uid.
    pub uid: u32,
    /// Its address, one of the loopback network's.
    pub address: String,
    /// Its host name.
    pub hostname: String,
    /// The version its services last reported: cluster state, which can lag behind the node's disk.
    pub version: Version,
    /// Whether its services run.
    pub services: Services,
    /// How often maintenance mode was switched on; it stacks (fact sheet §8.3).
    pub maintenance: u32,
    /// Names of the snapshots kept of it.
    pub snapshots: Vec<String>,
    /// Its settings as `rladmin info node` shows them.
    pub config: BTreeMap<String, String>,
    /// Services stopped by hand.
    pub stopped: BTreeSet<String>,
    /// How its shards are held by a fault.
    pub hold: Option<ShardHold>,
    /// How its `rlcheck` lies.
    pub rlcheck: Option<RlcheckLie>,
    /// How its `rladmin` misbehaves.
    pub rladmin: Option<RladminFault>,
    /// Calls of its tools that hang at present.
    pub hanging: u32,
    /// The nodes it hears on the network; none if it does not listen, as where all nodes share a machine.
    pub hears: Option<BTreeSet<u32>>,
    /// Since when it has been cut off from the majority of its cluster.
    pub cut_off: Option<Timestamp>,
}

/// A node's services process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Services {
    /// Running since then.
    Up {
        /// Process id.
        pid: u32,
        /// Since when.
        since: Timestamp,
    },
    /// Not running.
    Down {
        /// Since when.
        since: Timestamp,
    },
}

/// One database.
#[derive(Clone, Debug, Serialize)]
pub struct Database {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Whether primaries have replicas.
    pub replication: bool,
    /// Whether writes survive a restart.
    pub persistence: bool,
    /// The port in its published endpoint name.
    pub port: u16,
    /// The Redis line it runs, `(major, minor)`.
    pub redis_version: (u32, u32),
    /// How many primary shards.
    pub groups: u32,
    /// The modules it uses.
    pub modules: Vec<UsedModule>,
    /// Its settings as `rladmin info db` shows them.
    pub config: BTreeMap<String, String>,
}

/// One shard.
#[derive(Clone, Debug, Serialize)]
pub struct Shard {
    /// Its id.
    pub id: u32,
    /// Its database.
    pub db: u32,
    /// Which part of the slots: 0 to the database's `groups` − 1.
    pub group: u32,
    /// The node it lives on.
    pub node: u32,
    /// Primary or replica.
    pub role: Role,
    /// What is known of its process.
    pub state: ShardState,
    /// The port its process listens on at its node's address; 0 when there is none.
    pub port: u16,
    /// Its process.
    pub pid: Option<u32>,
    /// Whether a replica has everything: it stays so when its primary dies, and ends when it lags behind a living one.
    pub in_sync: bool,
    /// When a modelled shard will have loaded.
    #[serde(skip)]
    pub(crate) ready_at: Option<Timestamp>,
    /// Since when it cannot be used.
    #[serde(skip)]
    pub(crate) down_since: Option<Timestamp>,
}

/// A shard's role; never called master here, which is a node's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Role {
    /// Takes writes.
    Primary,
    /// Follows a primary.
    Replica,
}

/// What is known of a shard's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ShardState {
    /// Not running.
    Down,
    /// Reading its data.
    Loading,
    /// A replica catching up.
    Syncing,
    /// Fine.
    Ok,
}

/// A running cluster task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its name, for instance `maintenance_on`.
    pub name: String,
    /// Its identifier.
    pub id: String,
    /// The node it works on.
    pub node: Option<u32>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// A node's services run and said which version they are.
    ServicesUp {
        /// The node.
        uid: u32,
        /// What it runs.
        version: Version,
    },
    /// A node's services ended.
    ServicesDown {
        /// The node.
        uid: u32,
    },
    /// The master role moved.
    Master {
        /// To this node.
        uid: u32,
    },
    /// A replica became primary.
    Promoted {
        /// Its database.
        db: u32,
        /// The shard.
        shard: u32,
        /// Its node.
        node: u32,
    },
    /// `install.sh` began.
    InstallBegan {
        /// On this node.
        uid: u32,
    },
    /// `install.sh` ended or was found dead.
    InstallEnded {
        /// On this node.
        uid: u32,
    },
    /// A service was restarted with `supervisorctl`.
    ServiceRestarted {
        /// On this node.
        uid: u32,
        /// Which one.
        service: String,
    },
    /// A fault was carried out.
    Fault {
        /// The effect.
        effect: String,
    },
}

impl Model {
    /// The cluster a specification describes, before any of its processes runs. `network` is the first three numbers of
    /// its nodes' loopback addresses.
    pub fn new(spec: &ClusterSpec, network: &str, now: Timestamp) -> Self {
        let nodes = (1..=spec.nodes).map(|uid| (uid, Node::new(spec, network, uid, now))).collect();
        let mut model = Self {
            name: spec.name.clone(),
            os: spec.os.clone(),
            arch: spec.arch,
            master: Some(1),
            nodes,
            databases: BTreeMap::new(),
            shards: BTreeMap::new(),
            tasks: Vec::new(),
            config: settings::of_cluster(),
            modules: spec.modules.clone(),
            upgrade_mode: false,
            ccs_link_up: true,
            noise: false,
            installs: Vec::new(),
            history: Vec::new(),
            mode: spec.shards,
            timing: spec.timing,
            script: Script::default(),
        };
        model.lay_out_databases(spec, now);
        model
    }

    /// Notes something that happened.
    pub(crate) fn note(&mut self, now: Timestamp, what: Happened) {
        self.history.push(Event { at: now, what });
    }
}

impl Node {
    fn new(spec: &ClusterSpec, network: &str, uid: u32, now: Timestamp) -> Self {
        Self {
            uid,
            address: format!("{network}.{uid}"),
            hostname: format!("{}-node{uid}", spec.name),
            version: spec.version,
            services: Services::Down { since: now },
            maintenance: 0,
            snapshots: Vec::new(),
            config: settings::of_node(),
            stopped: BTreeSet::new(),
            hold: None,
            rlcheck: None,
            rladmin: None,
            hanging: 0,
            hears: None,
            cut_off: None,
        }
    }

    /// Whether it takes part in its cluster: its services run, and reach the majority.
    pub fn is_member(&self) -> bool {
        self.is_up() && self.cut_off.is_none()
    }

    /// Whether its services run.
    pub fn is_up(&self) -> bool {
        matches!(self.services, Services::Up { .. })
    }
}
