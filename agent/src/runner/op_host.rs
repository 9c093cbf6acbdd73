//! The machine under an op runner: who this process is, its lock, and the installer as a child of its own.

use std::any::Any;
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;
use proto::Exit;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Signal, getpid, set_child_subreaper};
use tokio::process::Child;
use tokio::time::Instant;

use super::op::OpError;
use super::{CHILD, Identity, Process, procfs};
use crate::durable::{Disk, StateError};
use crate::host::starts;

/// Between asking the installation to end at its deadline and killing it.
const GRACE: Duration = Duration::from_secs(10);

/// A lock that is held as long as this value lives, and not longer than its process.
pub type Guard = Box<dyn Any + Send + Sync>;

/// The machine that an op runner works on.
pub trait OpHost: fmt::Debug + Send + Sync {
    /// Who this op runner is.
    ///
    /// # Errors
    /// [`OpError`], when that cannot be told.
    fn identity(&self) -> Result<Identity, OpError>;
    /// Takes the lock that says that this op runner lives. Waits for it: the agent looks at the lock now and then.
    ///
    /// # Errors
    /// [`OpError`].
    fn lock(&self, path: &Path) -> Result<Guard, OpError>;
    /// Runs `install.sh` inside `tree`, all its output into `output`, to its end or until the deadline ends all that it
    /// started; how it ended, and how long that took.
    ///
    /// # Errors
    /// [`OpError::NotRun`] when it was not run at all; anything else leaves open how far it got.
    fn install<'a>(
        &'a self,
        tree: &'a Path,
        args: &'a [String],
        deadline: Duration,
        output: &'a Path,
    ) -> BoxFuture<'a, Result<(Exit, Duration), OpError>>;
}

/// The machine as it is.
#[derive(Debug)]
pub struct SystemHost(());

impl SystemHost {
    /// Makes this process the parent of every orphan below it, so that all the installer starts can be ended.
    ///
    /// # Errors
    /// [`OpError`].
    pub fn adopting_orphans() -> Result<Self, OpError> {
        set_child_subreaper(Some(getpid())).map_err(|error| os("adopt orphans")(error.into()))?;
        Ok(Self(()))
    }
}

impl OpHost for SystemHost {
    fn identity(&self) -> Result<Identity, OpError> {
        let pid = getpid().as_raw_nonzero().get();
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        Ok(Identity {
            boot_id: procfs::boot_id().map_err(os("read the boot id"))?,
            process: procfs::process(pid).ok_or_else(gone).map_err(os("see this process in /proc"))?,
            invocation_id: std::env::var("INVOCATION_ID").ok(),
        })
    }

    fn lock(&self, path: &Path) -> Result<Guard, OpError> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = opened.map_err(StateError::io("open", path))?;
        let locked = flock(&file, FlockOperation::LockExclusive);
        locked.map_err(|error| StateError::io("lock", path)(error.into()))?;
        Ok(Box::new(file))
    }

    fn install<'a>(
        &'a self,
        tree: &'a Path,
        args: &'a [String],
        deadline: Duration,
        output: &'a Path,
    ) -> BoxFuture<'a, Result<(Exit, Duration), OpError>> {
        Box::pin(install(tree, args, deadline, output))
    }
}

fn os(doing: &'static str) -> impl FnOnce(io::Error) -> OpError {
    move |source| OpError::Os { doing, source }
}

async fn install(
    tree: &Path,
    args: &[String],
    deadline: Duration,
    output: &Path,
) -> Result<(Exit, Duration), OpError> {
    let began = Instant::now();
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(output);
    let mut child =
        log.and_then(|log| starts::installer(tree, args, log)?.spawn()).map_err(OpError::NotRun)?;
    note(&child, output);
    let exit = match tokio::time::timeout(deadline, child.wait()).await {
        Ok(status) => exit_of(status.map_err(os("wait for install.sh"))?),
        Err(_) => {
            kill_all(&mut child).await;
            Exit::Deadline
        }
    };
    Ok((exit, began.elapsed()))
}

/// Writes down which process the installer is, beside its output, for an agent that finds this op runner dead. The
/// installer runs: that the note cannot be written must not leave it without its op runner.
fn note(child: &Child, output: &Path) {
    let process = child.id().and_then(|pid| procfs::process(pid.try_into().ok()?));
    let written =
        process.map(|process| Disk::real().write_json::<Process>(&output.with_file_name(CHILD), &process));
    if let Some(Err(error)) = written {
        tracing::warn!(error = %error.full(), "the installer's process could not be written down");
    }
}

fn exit_of(status: std::process::ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

/// Ends everything the installer started, also what it put into sessions of its own: this process adopts orphans, so
/// they are all below it.
async fn kill_all(child: &mut Child) {
    let me = getpid().as_raw_nonzero().get();
    let began = Instant::now();
    procfs::signal_descendants(me, Signal::TERM);
    let mut pause = Duration::from_millis(20);
    loop {
        // Reaps the installer itself; its orphans are zombies until this process ends.
        let _still_running = child.try_wait();
        let signal = if began.elapsed() < GRACE { Signal::CONT } else { Signal::KILL };
        if procfs::signal_descendants(me, signal) == 0 {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}
