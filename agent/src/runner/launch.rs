//! Starting the op runner as a detached process, so that it outlives the agent.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use proto::StepId;
use tokio::io::AsyncReadExt;

use super::files;
use crate::config::Config;
use crate::durable::StateError;
use crate::host::starts::{OpRunner, op_runner};
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
    let status = op_runner(config.program.as_deref(), &config.file, step, OpRunner::Detaching)
        .stdout(log_file(&log)?)
        .stderr(log_file(&log)?)
        .status()
        .await
        .map_err(failed(config))?;
    if status.success() { Ok(()) } else { Err(LaunchError::Ended { status, log: log.display().to_string() }) }
}

/// The part of `run-op --detach`: starts the op runner in a new session and waits until it says that it has begun, or
/// ends.
///
/// # Errors
/// [`LaunchError`], also when it ended without having begun.
pub async fn run_detached(config: &Config, step: &StepId) -> Result<(), LaunchError> {
    let log = files(&StateDir::at(&config.state_dir).step(step)).runner_log;
    let failed = failed(config);
    // Not a group leader: the agent starts it without a group of its own.
    rustix::process::setsid().map_err(|error| failed(error.into()))?;
    let mut runner = op_runner(config.program.as_deref(), &config.file, step, OpRunner::Running)
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

fn failed(config: &Config) -> impl Fn(io::Error) -> LaunchError + Copy {
    let program = config.program.as_ref();
    move |source| {
        let program = program.map_or("ratchet-agent itself".into(), |program| program.display().to_string());
        LaunchError::Program { program, source }
    }
}

fn log_file(path: &Path) -> Result<Stdio, StateError> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map(Stdio::from).map_err(StateError::io("open", path))
}
