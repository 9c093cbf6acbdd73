//! Starting, steering and ending a simulated cluster from a test or a demonstration.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use proto::Version;
use tempfile::TempDir;
use tokio::net::UnixListener;

use crate::binary::{self, BinaryError};
use crate::engine::{self, Engine};
use crate::fault::{self, InvalidFault};
use crate::model::{Event, Install, Model};
use crate::spec::{ClusterSpec, MAX_NODES};
use crate::wire::{self, Reply, Request, WireError};
use crate::{facts, roots};

/// A cluster's socket in its directory.
const SOCKET: &str = "sim.sock";
/// The longest path a socket can safely have, in bytes.
const LONGEST_SOCKET_PATH: usize = 100;
/// How long a start may take until every node and shard is fine.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// The port by which a cluster keeps its part of the loopback network to itself.
const NETWORK_LOCK_PORT: u16 = 19_999;

/// A running simulated cluster. All its processes end with it.
#[derive(Debug)]
pub struct Cluster {
    engine: Arc<Engine>,
    server: Option<JoinHandle<()>>,
    _network: Option<TcpListener>,
    _socket_dir: Option<TempDir>,
}

/// What nodes that are machines of their own have in common.
#[derive(Clone, Debug)]
pub struct Machines {
    /// The first three numbers of their addresses; the fourth is a node's uid.
    pub network: String,
    /// Where they find the `ratchet-sim` program.
    pub binary: PathBuf,
    /// Where they find the socket of the cluster's server, which is `sim.sock` in the cluster's directory.
    pub socket: PathBuf,
}

/// Where a cluster runs.
struct Place {
    network: String,
    lock: Option<TcpListener>,
    supervised: bool,
}

/// Why a cluster cannot be started or steered.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The specification makes no sense.
    #[error("the cluster specification is wrong: {0}")]
    Spec(String),
    /// A fault script does not parse.
    #[error(transparent)]
    Fault(#[from] InvalidFault),
    /// The program that plays the tools is missing.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// A file or socket could not be made.
    #[error("cannot lay out the cluster in {dir}; check that it is writable and has room")]
    Io {
        /// The cluster's directory.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not everything came up.
    #[error("the cluster is not healthy after {seconds} s: {what}; the nodes' logs are below {dir}")]
    NotHealthy {
        /// How long it was waited for.
        seconds: u64,
        /// What is not well.
        what: String,
        /// The cluster's directory.
        dir: PathBuf,
    },
    /// The server could not be asked.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl Cluster {
    /// Lays the nodes out below `dir`, starts them and waits until everything is healthy.
    pub async fn start(dir: impl AsRef<Path>, spec: ClusterSpec) -> Result<Self, ClusterError> {
        check(&spec)?;
        let os = facts::system(&spec.os)
            .ok_or_else(|| ClusterError::Spec(format!("unknown system `{}`", spec.os)))?;
        let binary = binary::tool_binary()?;
        let cluster = Self::lay_out(dir.as_ref(), &spec, os, binary)
            .map_err(|source| ClusterError::Io { dir: dir.as_ref().to_owned(), source })?;
        for uid in 1..=spec.nodes {
            cluster.inject(&format!("now: node {uid} up")).await?;
        }
        if !cluster.wait_until(START_PATIENCE, Model::is_settled).await {
            let what = cluster.engine.read(|model| format!("{:?} {:?}", model.nodes, model.shards));
            let (seconds, dir) = (START_PATIENCE.as_secs(), cluster.engine.dir.clone());
            return Err(ClusterError::NotHealthy { seconds, what, dir });
        }
        cluster.inject(&spec.faults).await?;
        Ok(cluster)
    }

    /// Starts a cluster whose nodes are machines of their own, each with `ratchet-sim node-supervisor` among its services;
    /// they are yet to be booted, and no fault is in force. `dir` has for each a directory or a link to one, `node1` and so on: its file system.
    pub fn start_on(
        dir: impl AsRef<Path>,
        spec: &ClusterSpec,
        machines: &Machines,
    ) -> Result<Self, ClusterError> {
        check(spec)?;
        let os = facts::system(&spec.os)
            .ok_or_else(|| ClusterError::Spec(format!("unknown system `{}`", spec.os)))?;
        let dir = dir.as_ref();
        let network = (1..=spec.nodes).map(|uid| (uid, format!("{}.{uid}", machines.network))).collect();
        let place = Place { network: machines.network.clone(), lock: None, supervised: true };
        let marker = |uid| {
            let (binary, socket) = (machines.binary.clone(), machines.socket.clone());
            roots::Marker { uid, binary, socket, network: BTreeMap::clone(&network) }
        };
        let started = (1..=spec.nodes)
            .try_for_each(|uid| roots::write(&roots::root(dir, uid), Path::new("/"), spec, os, &marker(uid)))
            .and_then(|()| Self::serve(dir.to_owned(), spec, machines.binary.clone(), place));
        started.map_err(|source| ClusterError::Io { dir: dir.to_owned(), source })
    }

    fn lay_out(dir: &Path, spec: &ClusterSpec, os: facts::Os, binary: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let dir = dir.canonicalize()?;
        let (network, lock) = reserve_network()?;
        let place = Place { network, lock: Some(lock), supervised: false };
        let cluster = Self::serve(dir.clone(), spec, binary.clone(), place)?;
        for uid in 1..=spec.nodes {
            let root = roots::root(&dir, uid);
            let (binary, socket) = (binary.clone(), cluster.engine.socket.clone());
            let marker = roots::Marker { uid, binary, socket, network: BTreeMap::new() };
            roots::write(&root, &root, spec, os, &marker)?;
        }
        Ok(cluster)
    }

    fn serve(dir: PathBuf, spec: &ClusterSpec, binary: PathBuf, place: Place) -> io::Result<Self> {
        let (socket, socket_dir) = socket_path(&dir)?;
        let model = Model::new(spec, &place.network, Timestamp::now());
        let engine = Engine::new(dir, binary, socket, model, place.supervised);
        let server = Some(start_server(Arc::clone(&engine))?);
        Ok(Self { engine, server, _network: place.lock, _socket_dir: socket_dir })
    }

    /// A node's root: what the agent's `redis_enterprise.root` is set to.
    pub fn root(&self, uid: u32) -> PathBuf {
        roots::root(&self.engine.dir, uid)
    }

    /// Where that node's agent keeps its state; `install.sh` finds its node from below it.
    pub fn agent_state_dir(&self, uid: u32) -> PathBuf {
        self.root(uid).join("agent")
    }

    /// A node's own loopback address.
    pub fn address(&self, uid: u32) -> Option<String> {
        self.engine.read(|model| model.nodes.get(&uid).map(|node| node.address.clone()))
    }

    /// Adds statements of the fault language; those for `now` have happened when this returns.
    pub async fn inject(&self, script: &str) -> Result<(), ClusterError> {
        fault::parse(script)?;
        wire::call(&self.engine.socket, &Request::Fault { text: script.to_owned() }).await?;
        Ok(())
    }

    /// The master's uid, if there is a master.
    pub fn master(&self) -> Option<u32> {
        self.engine.read(|model| model.master)
    }

    /// The version on a node's disk.
    pub fn version(&self, uid: u32) -> io::Result<Version> {
        roots::version_on_disk(&self.root(uid))
    }

    /// Every start of `install.sh` on a node, oldest first.
    pub fn installs(&self, uid: u32) -> Vec<Install> {
        self.engine
            .read(|model| model.installs.iter().filter(|install| install.uid == uid).cloned().collect())
    }

    /// Pairs of nodes whose installs ran at the same time.
    pub fn overlaps(&self) -> Vec<(u32, u32)> {
        self.engine.read(Model::overlaps)
    }

    /// Everything that happened, oldest first.
    pub fn history(&self) -> Vec<Event> {
        self.engine.read(|model| model.history.clone())
    }

    /// The whole model as it is now.
    pub fn snapshot(&self) -> Model {
        self.engine.read(Model::clone)
    }

    /// Waits until the cluster is as wanted; false if the deadline passes first. Looks again at every change.
    pub async fn wait_until(&self, patience: Duration, wanted: impl Fn(&Model) -> bool) -> bool {
        self.engine.wait_until(patience, wanted).await
    }

    /// Waits until somebody ends the cluster from outside, as `ratchet-sim down` does.
    pub async fn ended(&self) {
        self.engine.ended().await;
    }

    /// Ends all processes and waits for them.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.engine.end();
        if let Some(server) = self.server.take()
            && server.join().is_err()
        {
            tracing::error!("the cluster's server panicked");
        }
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks the cluster in a directory: by its own socket, or by the one that its first node's marker names.
pub async fn ask(dir: &Path, request: &Request) -> Result<Reply, WireError> {
    let socket = dir.join(SOCKET);
    if socket.exists() {
        return wire::call(&socket, request).await;
    }
    let marker = roots::marker(&roots::root(dir, 1))?;
    wire::call(&marker.socket, request).await
}

fn check(spec: &ClusterSpec) -> Result<(), ClusterError> {
    let wrong = |reason: &str| Err(ClusterError::Spec(reason.to_owned()));
    fault::parse(&spec.faults)?;
    if !(1..=MAX_NODES).contains(&spec.nodes) {
        return wrong("a cluster has 1 to 35 nodes");
    }
    if spec.databases.iter().any(|database| database.shards == 0) {
        return wrong("a database has at least one shard");
    }
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if spec.name.is_empty() || !spec.name.bytes().all(harmless) {
        return wrong("a cluster's name is made of letters, digits and `-`");
    }
    Ok(())
}

/// Three numbers of the loopback network that no other running cluster uses, and what keeps them ours.
fn reserve_network() -> io::Result<(String, TcpListener)> {
    let first =
        std::process::id().wrapping_mul(31).wrapping_add(Timestamp::now().subsec_nanosecond().unsigned_abs());
    for attempt in 0..1000 {
        let place = first.wrapping_add(attempt) % (200 * 250);
        let network = format!("127.{}.{}", 20 + place / 250, 1 + place % 250);
        if let Ok(lock) = TcpListener::bind((format!("{network}.200"), NETWORK_LOCK_PORT)) {
            return Ok((network, lock));
        }
    }
    Err(io::Error::other("no part of the loopback network is free"))
}

/// In the cluster's directory, or in a short temporary one if that path were too long for a socket.
fn socket_path(dir: &Path) -> io::Result<(PathBuf, Option<TempDir>)> {
    let path = dir.join(SOCKET);
    if path.as_os_str().len() <= LONGEST_SOCKET_PATH {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok((path, None)),
        };
    }
    let short = tempfile::Builder::new().prefix("sim").tempdir()?;
    Ok((short.path().join("s"), Some(short)))
}

/// Runs the server on a thread of its own: it answers also while a test blocks its own runtime, and the processes it
/// starts are bound to this thread's life.
fn start_server(engine: Arc<Engine>) -> io::Result<JoinHandle<()>> {
    let listener = std::os::unix::net::UnixListener::bind(&engine.socket)?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || match runtime.block_on(async { UnixListener::from_std(listener) }) {
        Ok(listener) => runtime.block_on(engine::serve(engine, listener)),
        Err(error) => tracing::error!(%error, "the cluster's server does not start"),
    };
    std::thread::Builder::new().name("sim".to_owned()).spawn(serve)
}
