//! Starting the op runner as a detached process, so that it outlives the agent.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use proto::StepId;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::files;
use crate::config::Config;
use crate::durable::StateError;
use crate::state::StateDir;

/// How long the op runner may take to say that it has begun.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why an op runner was not started; it may yet start if it was only slow.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The program cannot be run.
    #[error("cannot run {program}")]
    Program {
        /// The agent's own program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended before it began.
    #[error("the op runner ended with {status} before it began; {log} says why")]
    Ended {
        /// How.
        status: ExitStatus,
        /// Its log.
        log: String,
    },
    /// It did not begin in time.
    #[error("the op runner did not begin within {} s", PATIENCE.as_secs())]
    Slow,
    /// systemd does not start the unit.
    #[error("systemd does not start {unit}")]
    Unit {
        /// The unit.
        unit: String,
        /// Why.
        #[source]
        source: zbus::Error,
    },
    /// The step's directory cannot be used.
    #[error("the step's directory cannot be used")]
    State(#[from] StateError),
}

/// Runs `run-op --detach`, which starts the op runner in a session of its own and ends when that has begun: so the op
/// runner has no parent to die with, and the agent no child to reap.
pub(super) async fn detach(config: &Config, step: &StepId) -> Result<(), LaunchError> {
    tokio::time::timeout(PATIENCE, run_detacher(config, step)).await.unwrap_or(Err(LaunchError::Slow))
}

async fn run_detacher(config: &Config, step: &StepId) -> Result<(), LaunchError> {
    let log = files(&StateDir::at(&config.state_dir).step(step)).runner_log;
    let program = program(config);
    let failed = |source| LaunchError::Program { program: program.display().to_string(), source };
    let status = Command::new(&program)
        .arg("--config")
        .arg(&config.file)
        .args(["run-op", "--detach", step.as_str()])
        .stdin(Stdio::null())
        .stdout(log_file(&log)?)
        .stderr(log_file(&log)?)
        .status()
        .await
        .map_err(failed)?;
    if status.success() { Ok(()) } else { Err(LaunchError::Ended { status, log: log.display().to_string() }) }
}

/// The part of `run-op --detach`: starts the op runner in a new session and waits until it says that it has begun, or
/// ends.
///
/// # Errors
/// [`LaunchError`], also when it ended without having begun.
pub async fn run_detached(config: &Config, step: &StepId) -> Result<(), LaunchError> {
    let log = files(&StateDir::at(&config.state_dir).step(step)).runner_log;
    let program = program(config);
    let failed = |source| LaunchError::Program { program: program.display().to_string(), source };
    // Not a group leader: the agent starts it without a group of its own.
    rustix::process::setsid().map_err(|error| failed(error.into()))?;
    let mut runner = Command::new(&program)
        .arg("--config")
        .arg(&config.file)
        .args(["run-op", step.as_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file(&log)?)
        .spawn()
        .map_err(failed)?;
    let mut said = Vec::new();
    if let Some(mut voice) = runner.stdout.take() {
        let mut word = [0; 16];
        let read = voice.read(&mut word).await.map_err(failed)?;
        said.extend_from_slice(&word[..read]);
    }
    if said.is_empty() {
        let status = runner.wait().await.map_err(failed)?;
        return Err(LaunchError::Ended { status, log: log.display().to_string() });
    }
    Ok(())
}

/// This very program, also when its file was replaced meanwhile by that of a newer package.
fn program(config: &Config) -> PathBuf {
    config.program.clone().unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

fn log_file(path: &Path) -> Result<Stdio, StateError> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map(Stdio::from).map_err(StateError::io("open", path))
}
