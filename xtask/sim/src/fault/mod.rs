//! Faults by script.
#![doc = include_str!("grammar.md")]

mod parse;
mod script;

use std::time::Duration;

use proto::Version;
use serde::{Deserialize, Serialize};

pub use parse::{InvalidFault, parse};
pub use script::Script;

/// The grammar, as `ratchet-sim faults` prints it.
pub const GRAMMAR: &str = include_str!("grammar.md");

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When it fires.
    pub when: When,
    /// What happens then.
    pub effect: Effect,
}

/// When a statement fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// At a moment of an install.
    Install {
        /// Which moment.
        phase: Phase,
        /// Of which node.
        which: Which,
        /// Only the so-many-th matching install, counted from 1.
        nth: Option<u32>,
    },
    /// When a master is elected.
    Election,
}

/// A moment of an install.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Before its checks.
    Before,
    /// Shapes the install itself.
    On,
    /// Services just stopped.
    During,
    /// Services back.
    After,
}

/// Which installs a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of one node.
    Node(u32),
    /// Those of the node that is master when its install begins.
    Master,
    /// All.
    Any,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Shapes an install.
    Install(InstallFault),
    /// Changes the world.
    World(WorldFault),
}

/// The steps of `install.sh`, named by what it is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// To check and ask.
    Checks,
    /// To stop the node's services.
    Stop,
    /// To replace the files.
    Files,
    /// To start the services.
    Start,
    /// To end.
    Finish,
}

/// What goes wrong with an install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallFault {
    /// Says that it aborts, and exits with this status.
    Abort {
        /// Exit status.
        exit: u8,
        /// Where.
        at: Stage,
    },
    /// Succeeds and exits with this status all the same.
    Exit(u8),
    /// Does not go on until it is told to.
    Hang {
        /// Where.
        at: Stage,
    },
    /// Dies by SIGKILL.
    Killed {
        /// Where.
        at: Stage,
    },
    /// Node and installer die; the node's services start again later.
    Reboot {
        /// Where.
        at: Stage,
        /// How long the node is away.
        back: Duration,
    },
    /// Another version than the package's ends up on the node.
    Version(Version),
    /// Replacing the files takes this long.
    Takes(Duration),
    /// Replacing the files fails.
    DiskFull,
    /// The new services do not start.
    ServicesStayDown,
}

/// The node an effect is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRef {
    /// A node by uid.
    Node(u32),
    /// The master at that moment.
    Master,
    /// The node whose install fired the statement.
    Installed,
}

/// How a node's shards are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShardHold {
    /// Not running.
    Down,
    /// Loading for ever.
    Loading,
    /// Syncing for ever.
    Syncing,
}

/// How `rlcheck` lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RlcheckLie {
    /// Everything passes whatever the truth.
    Passes,
    /// This test fails whatever the truth.
    Fails(String),
    /// It does not answer until it is honest again.
    Hangs,
}

/// How `rladmin` misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RladminFault {
    /// Does not answer until it is honest again.
    Hangs,
    /// Prints what no parser should accept.
    Garbage,
    /// Prints nothing and exits 0.
    Empty,
    /// Fails with this status.
    Exits(u8),
}

/// What has settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configured {
    /// The cluster.
    Cluster,
    /// A node.
    Node(NodeRef),
    /// A database by id.
    Database(u32),
}

/// A change of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldFault {
    /// A node's services die or start.
    Services(NodeRef, bool),
    /// Maintenance mode on or off.
    Maintenance(NodeRef, bool),
    /// A snapshot is left behind, under this name if given.
    Snapshot(NodeRef, Option<String>),
    /// A node's shards are held in a state, or no longer.
    Shards(NodeRef, Option<ShardHold>),
    /// The master role moves.
    MasterTo(u32),
    /// A task starts to run.
    Task(String, Option<NodeRef>),
    /// All tasks end.
    NoTasks,
    /// Somebody changes a setting: its key and its new value.
    Config(Configured, String, String),
    /// `rlcheck` on a node starts to lie, or stops.
    Rlcheck(NodeRef, Option<RlcheckLie>),
    /// `rladmin` on a node starts to misbehave, or stops.
    Rladmin(NodeRef, Option<RladminFault>),
    /// A node's installer that hangs goes on.
    InstallerGoesOn(NodeRef),
    /// Colours and chatter in `rladmin` output.
    Noise(bool),
    /// The cluster store's replication link: true is up.
    CcsLink(bool),
    /// The cluster's upgrade mode.
    UpgradeMode(bool),
}
