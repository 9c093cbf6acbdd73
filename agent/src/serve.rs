//! An agent, from its configuration to its end. Tests and the program start it in the same way.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use proto::ours;
use proto::transport::{Security, TransportError, check_own};
use proto::{Clock, InvalidName, Role};
use rustix::fs::{FlockOperation, flock};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::connecting::Connecting;
use crate::durable::{Disk, StateError};
use crate::executor::Executor;
use crate::host::Product;
use crate::metrics;
use crate::node::Node;
use crate::observe::Observer;
use crate::package::{Fetcher, Packages, Patience};
use crate::rpc;
use crate::runner::SystemOps;
use crate::state::StateDir;
use crate::steps::Door;

/// Why an agent does not serve.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory cannot be used.
    #[error("the state directory cannot be used")]
    State(#[from] StateError),
    /// Another agent uses it.
    #[error("another agent uses {0}; stop it, or give this one a state_dir of its own")]
    InUse(PathBuf),
    /// The listener or the certificates cannot be used.
    #[error("the listener cannot be used")]
    Transport(#[from] TransportError),
    /// The agent dials, and has no name.
    #[error("this agent connects by itself and needs a name; give `name` in its configuration")]
    Name(#[from] InvalidName),
    /// Metrics cannot be told.
    #[error("the address of [metrics] cannot be listened on; correct it, or stop what listens there")]
    Metrics(#[source] std::io::Error),
    /// Serving broke off.
    #[error("serving broke off")]
    Serve(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Serves on a bound listener, if there is one, and to the coordinator that is dialled, if there is one, until `shutdown` resolves; installs that run then go on without the agent.
///
/// # Errors
/// [`RunError`].
pub async fn run(
    config: Config,
    listener: Option<TcpListener>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RunError> {
    let state = StateDir::create(&config.state_dir, &Disk::real())?;
    let _alone = lock(&state)?;
    // At once: what is dialled later would tell it to the log only.
    check_own(&config.security, &[Role::Agent])?;
    warn_of_open_key(&config.security);
    let executor = Executor::open(door(config.clone(), state))?;
    let _telling = metrics::listen(config.metrics, &executor).await.map_err(RunError::Metrics)?;
    let stopping = executor.stopping();
    tokio::spawn(async move {
        shutdown.await;
        stopping.cancel();
    });
    let connecting = Connecting::of(&config, &executor)?;
    let dialled = connecting.map(|connecting| tokio::spawn(connecting.stay(executor.clone())));
    match listener {
        Some(listener) => rpc::serve(listener, &config, executor.clone()).await?,
        None => executor.stopping().cancelled().await,
    }
    executor.stopping().cancel();
    if let Some(dialled) = dialled {
        dialled.await.map_err(|error| RunError::Serve(error.into()))?;
    }
    Ok(())
}

/// What steps work with, out of a configuration, on the machine as it is.
pub fn door(config: Config, state: StateDir) -> Door {
    let product = Product::new(config.root.clone());
    let observer = Observer::new(product, config.state_dir.clone()).with_rest(config.rest.clone());
    let (config, disk) = (Arc::new(config), Disk::real());
    Door {
        packages: Packages::in_state(&state, &disk),
        fetcher: Fetcher::new(Patience::default()),
        node: Node::new(observer),
        clock: Clock::system(),
        ops: Arc::new(SystemOps::new(Arc::clone(&config))),
        state,
        config,
        disk,
    }
}

/// It goes on all the same: whoever could read the key has read it, and an upgrade may be under way.
fn warn_of_open_key(security: &Security) {
    if let Security::Tls(tls) = security
        && let Some(reason) = ours::readable_by_all(&tls.key)
    {
        tracing::warn!(reason, "the private key is no secret; make a new one");
    }
}

/// How long a lock may be held by whoever does not matter any more.
const MOMENT: Duration = Duration::from_secs(2);

/// Two agents in one state directory would each believe that a step is theirs.
fn lock(state: &StateDir) -> Result<File, RunError> {
    let path = state.lock();
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = opened.map_err(StateError::io("open", &path))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        return Ok(file);
    }
    // What a killed agent was just starting has its files until it is executed: a moment later they are closed.
    let (locked, waiting) = mpsc::sync_channel(1);
    thread::spawn(move || {
        if flock(&file, FlockOperation::LockExclusive).is_ok() {
            // Nobody waits any more: it is given back.
            let _in_time = locked.send(file);
        }
    });
    waiting.recv_timeout(MOMENT).map_err(|_| RunError::InUse(state.root().to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn state() -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::create(&dir.path().join("state"), &Disk::real()).unwrap();
        (dir, state)
    }

    /// Whether somebody waits for the lock on a file, by the kernel's own list.
    fn is_awaited(file: &File) -> bool {
        let inode = format!(":{} ", file.metadata().unwrap().ino());
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.contains("->") && line.contains(&inode))
    }

    #[test]
    fn a_lock_that_is_given_back_in_a_moment_is_waited_for() {
        let (_dir, state) = state();
        let held = lock(&state).unwrap();
        thread::scope(|scope| {
            let second = scope.spawn(|| lock(&state).map(drop));
            while !is_awaited(&held) {
                thread::yield_now();
            }
            drop(held);
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_state_directory_has_one_agent() {
        let (_dir, state) = state();
        let _held = lock(&state).unwrap();
        assert!(matches!(lock(&state), Err(RunError::InUse(_))));
    }
}
