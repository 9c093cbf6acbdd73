//! What the tools, the installer and the services processes say to the cluster's server: one JSON line each way.

use std::collections::BTreeSet;
use std::path::Path;

use proto::Version;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::fault::Stage;
use crate::tools::Output;

/// The first line of a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// A node's services process is up; [`Command`]s and [`Report`]s follow on the same connection.
    Services {
        /// Its node.
        uid: u32,
        /// Its process id.
        pid: u32,
        /// The version on its disk.
        version: Version,
    },
    /// A machine is there and starts its node's services whenever it is told [`Command::Start`] on the same connection.
    Supervisor {
        /// Its node.
        uid: u32,
    },
    /// A tool was called.
    Tool {
        /// Which one.
        tool: Tool,
        /// On which node.
        uid: u32,
        /// With which arguments.
        args: Vec<String>,
    },
    /// `install.sh` began.
    InstallBegin {
        /// Its node.
        uid: u32,
        /// The process id of its outermost shell.
        pid: u32,
        /// The package's version.
        target: Version,
        /// Its arguments.
        args: Vec<String>,
    },
    /// `install.sh` is about to do something.
    InstallReach {
        /// Its node.
        uid: u32,
        /// The process id of its outermost shell.
        pid: u32,
        /// What it is about to do.
        stage: Stage,
    },
    /// `install.sh` asks for its exit status.
    InstallEnd {
        /// Its node.
        uid: u32,
        /// The process id of its outermost shell.
        pid: u32,
    },
    /// Statements of the fault language.
    Fault {
        /// The statements.
        text: String,
    },
    /// The whole model, as JSON.
    Status,
    /// The cluster is to end.
    Down,
}

/// The vendor's tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Tool {
    /// `rladmin`.
    Rladmin,
    /// `rlcheck`.
    Rlcheck,
    /// `supervisorctl`.
    Supervisorctl,
}

/// The answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// What a tool prints.
    Output(Output),
    /// What the installer's checks look at.
    Facts(Box<InstallFacts>),
    /// What the installer is to do.
    Directive(Directive),
    /// The model.
    Status(serde_json::Value),
}

/// The state of the cluster that the installer checks (fact sheet §5.3, §5.4).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstallFacts {
    /// The node's operating system token.
    pub os: String,
    /// The node's architecture.
    pub arch: String,
    /// The node's address.
    pub address: String,
    /// Whether the node's services run.
    pub node_active: bool,
    /// Whether the cluster store's replication link is up.
    pub ccs_link_up: bool,
    /// Names of running tasks.
    pub tasks: Vec<String>,
    /// Ids of shards that are still loading or syncing.
    pub syncing: Vec<u32>,
    /// Whether this node is the master.
    pub is_master: bool,
    /// The version the master runs, if there is one.
    pub master_version: Option<Version>,
    /// Whether upgrade mode is on and an earlier run on this node did not end well.
    pub is_rerun: bool,
    /// The process of another `install.sh` on this node.
    pub locked_by: Option<u32>,
}

/// What the installer is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Directive {
    /// Go on.
    Go,
    /// Put this version on the disk.
    Write(Version),
    /// Say that the disk is full, and abort.
    DiskFull,
    /// Say that it aborts.
    Abort,
    /// Die by SIGKILL.
    Kill,
    /// Exit with this status.
    Exit(u8),
}

/// What the server tells a services process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Run a shard.
    Launch(Launch),
    /// Stop a shard at once.
    Stop {
        /// Its id.
        shard: u32,
    },
    /// Stop everything in good order and end.
    Quit,
    /// Start the services; said to a supervisor.
    Start,
}

/// How to run a shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// Its id.
    pub shard: u32,
    /// The address to listen on.
    pub address: String,
    /// The port to listen on.
    pub port: u16,
    /// The primary to follow.
    pub replica_of: Option<(String, u16)>,
    /// Whether to keep an append-only file.
    pub append_only: bool,
}

/// What a services process tells the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Report {
    /// A shard's process started or ended.
    Shard {
        /// The shard.
        shard: u32,
        /// Its process, none once it ended.
        pid: Option<u32>,
    },
    /// Which other nodes are heard on the network; said when that changes.
    Hears {
        /// The nodes.
        uids: BTreeSet<u32>,
    },
}

/// Why the server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The socket or the connection failed.
    #[error("the simulated cluster does not answer; start it with `ratchet-sim up`")]
    Io(#[from] std::io::Error),
    /// A line is not what was expected.
    #[error(
        "the simulated cluster and this program do not understand each other; build both from the same source"
    )]
    Json(#[from] serde_json::Error),
    /// The server closed the connection without an answer.
    #[error("the simulated cluster ended before it answered")]
    Closed,
}

/// Asks one question and waits for its answer, for as long as it takes.
pub async fn call(socket: &Path, request: &Request) -> Result<Reply, WireError> {
    let (read, mut write) = UnixStream::connect(socket).await?.into_split();
    send(&mut write, request).await?;
    receive(&mut BufReader::new(read)).await?.ok_or(WireError::Closed)
}

/// Writes one value as a line.
pub async fn send<T: Serialize>(to: &mut (impl AsyncWrite + Unpin), value: &T) -> Result<(), WireError> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(to.write_all(&line).await?)
}

/// Reads one line; none at the end of the connection.
pub async fn receive<T: for<'de> Deserialize<'de>>(
    from: &mut (impl AsyncBufRead + Unpin),
) -> Result<Option<T>, WireError> {
    let mut line = String::new();
    if from.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}
