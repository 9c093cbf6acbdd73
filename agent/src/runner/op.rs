//! The op runner itself: the program of `ratchet-op@.service`, or a detached process.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proto::{Exit, StepId};
use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::{Signal, getpid, set_child_subreaper, umask};
use tokio::process::{Child, Command};

use super::{OpFiles, OpResult, Process, Started, files, procfs, verify};
use crate::config::Config;
use crate::durable::{self, StateError};
use crate::executor::StepRecord;
use crate::state::StateDir;

/// Between asking the installation to end at its deadline and killing it.
const GRACE: Duration = Duration::from_secs(10);

/// Why the op runner did nothing. What it does and how that ends is in its files.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// Nobody ordered it.
    #[error("step {0} was not ordered on this node")]
    NotOrdered(StepId),
    /// It was started before, maybe by another process that is still at it.
    #[error("the installation of step {0} was started before; it is never started twice")]
    StartedBefore(StepId),
    /// Its files cannot be used.
    #[error("the step's directory cannot be used")]
    State(#[from] StateError),
    /// The operating system refused something else.
    #[error("cannot {doing}")]
    Os {
        /// What was tried.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn os(doing: &'static str) -> impl FnOnce(io::Error) -> OpError {
    move |source| OpError::Os { doing, source }
}

/// Runs the installer of a step, once, to its end or its deadline. `begun` is called when the start is on the disk.
///
/// # Errors
/// [`OpError`], when the installer was not run by this process; nothing was changed then.
pub async fn run_op(config: &Config, step: &StepId, begun: impl FnOnce()) -> Result<OpResult, OpError> {
    let state = StateDir::at(&config.state_dir);
    let files = files(&state.step(step));
    let record = StepRecord::read(&state, step)?.ok_or_else(|| OpError::NotOrdered(step.clone()))?;
    let _alive = lock(&files.lock)?;
    set_child_subreaper(Some(getpid())).map_err(|error| os("adopt orphans")(error.into()))?;
    if !durable::create_json_once(&files.started, &started()?)? {
        return Err(OpError::StartedBefore(step.clone()));
    }
    begun();
    let result = match verify::verified(&record, config, &state) {
        Err(failure) => OpResult::Refused(failure),
        Ok((spec, tree)) => {
            let deadline = spec.deadline.unwrap_or(config.install_deadline);
            install(&files, &tree, &spec.args, deadline).await?
        }
    };
    durable::write_json(&files.result, &result)?;
    Ok(result)
}

/// Held as long as this process lives. Waits: the agent looks at the lock now and then.
fn lock(path: &Path) -> Result<File, OpError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = opened.map_err(StateError::io("open", path))?;
    let locked = flock(&file, FlockOperation::LockExclusive);
    locked.map_err(|error| StateError::io("lock", path)(error.into()))?;
    Ok(file)
}

fn started() -> Result<Started, OpError> {
    let pid = getpid().as_raw_nonzero().get();
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    Ok(Started {
        boot_id: procfs::boot_id().map_err(os("read the boot id"))?,
        process: procfs::process(pid).ok_or_else(gone).map_err(os("see this process in /proc"))?,
        invocation_id: std::env::var("INVOCATION_ID").ok(),
        at: Timestamp::now(),
    })
}

async fn install(
    files: &OpFiles,
    tree: &Path,
    args: &[String],
    deadline: Duration,
) -> Result<OpResult, OpError> {
    let began = Instant::now();
    let mut child = spawn(files, tree, args)?;
    if let Some(process) = child.id().and_then(|pid| procfs::process(pid.try_into().ok()?)) {
        durable::write_json::<Process>(&files.child, &process)?;
    }
    let exit = match tokio::time::timeout(deadline, child.wait()).await {
        Ok(status) => exit_of(status.map_err(os("wait for install.sh"))?),
        Err(_) => {
            kill_all(&mut child).await;
            Exit::Deadline
        }
    };
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(OpResult::Ran { exit, took_ms })
}

/// "Must be started from inside the extracted directory" (fact sheet §5.4); root's umask must be 0022 (§5.3). Colours
/// are printed for known terminals only (§5.4).
fn spawn(files: &OpFiles, tree: &Path, args: &[String]) -> Result<Child, OpError> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&files.output);
    let output = opened.map_err(StateError::io("open", &files.output))?;
    let errors = output.try_clone().map_err(StateError::io("open", &files.output))?;
    umask(Mode::from_raw_mode(0o022));
    Command::new("./install.sh")
        .args(args)
        .current_dir(tree)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .env("TERM", "dumb")
        .env("LANG", "C")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(os("run install.sh"))
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
