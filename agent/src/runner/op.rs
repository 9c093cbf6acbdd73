//! The op runner itself: the program of `ratchet-op@.service`, or a detached process. The order of what it does, apart
//! from how a machine does it: lock, start, proof, installer, result.

use std::io;
use std::time::Duration;

use proto::{Clock, Failure, StepId};
use tokio::time::Instant;

use super::op_host::{OpHost, SystemHost};
use super::{OpFiles, OpResult, Started, files, verify};
use crate::config::Config;
use crate::durable::{Disk, StateError};
use crate::executor::StepRecord;
use crate::failures::chain;
use crate::halts;
use crate::state::StateDir;

/// How long a result is kept for a disk that does not take it, so that a person can make room. The agent waits as long
/// as this process lives, or until the installation is overdue.
const RESULT_PATIENCE: Duration = Duration::from_secs(3600);
/// The first pause before a result is written again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Pauses double up to here.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why the op runner left no result. What it does and how that ends is in its files.
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
    /// The installer was not run at all.
    #[error("install.sh cannot be run")]
    NotRun(#[source] io::Error),
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

/// Runs the installer of a step, once, to its end or its deadline. `begun` is called when the start is on the disk.
///
/// # Errors
/// [`OpError`], when it left no result.
pub async fn run_op(config: &Config, step: &StepId, begun: impl FnOnce()) -> Result<OpResult, OpError> {
    let host = SystemHost::adopting_orphans()?;
    run_op_on(config, step, &host, &Clock::system(), &Disk::real(), begun).await
}

/// The same on any machine.
///
/// # Errors
/// [`OpError`], when it left no result.
pub async fn run_op_on(
    config: &Config,
    step: &StepId,
    host: &dyn OpHost,
    clock: &Clock,
    disk: &Disk,
    begun: impl FnOnce(),
) -> Result<OpResult, OpError> {
    let state = StateDir::at(&config.state_dir);
    let files = files(&state.step(step));
    let record = StepRecord::read(&state, step)?.ok_or_else(|| OpError::NotOrdered(step.clone()))?;
    let _alive = host.lock(&files.lock)?;
    let started = Started { by: host.identity()?, at: clock.now() };
    if !disk.create_json_once(&files.started, &started)? {
        return Err(OpError::StartedBefore(step.clone()));
    }
    begun();
    let result = carry_out(&record, config, &state, host, clock, &files).await?;
    write_result(disk, &files, &result).await?;
    Ok(result)
}

/// Proves the order, then runs the installer. What was not run is a refusal: nothing was changed.
async fn carry_out(
    record: &StepRecord,
    config: &Config,
    state: &StateDir,
    host: &dyn OpHost,
    clock: &Clock,
    files: &OpFiles,
) -> Result<OpResult, OpError> {
    let (spec, tree) = match verify::verified(record, config, state, clock.now()) {
        Ok(proven) => proven,
        Err(failure) => return Ok(OpResult::Refused(failure)),
    };
    // The last moment at which a halt counts: from here on the installer is never touched.
    if let Some(halt) = halts::in_force(&state.halts(), clock.now()).first() {
        return Ok(OpResult::Refused(Box::new(halts::failure(halt))));
    }
    let deadline = spec.deadline.unwrap_or(config.install_deadline);
    match host.install(&tree, &spec.args, deadline, &files.output).await {
        Ok((exit, took)) => {
            Ok(OpResult::Ran { exit, took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) })
        }
        Err(error @ OpError::NotRun(_)) => Ok(OpResult::Refused(Box::new(not_run(&error)))),
        Err(error) => Err(error),
    }
}

fn not_run(error: &OpError) -> Failure {
    let message = "the installer could not be run; nothing was changed";
    let remedy = "see that the agent's state directory has room and may hold programs, then `ratchet retry`";
    Failure::operator("not-started", message, remedy).because(chain(error))
}

/// How the installer ended is known here alone: it is not lost to a disk that is full for a while.
async fn write_result(disk: &Disk, files: &OpFiles, result: &OpResult) -> Result<(), StateError> {
    let gives_up = Instant::now() + RESULT_PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        match disk.write_json(&files.result, result) {
            Err(error) if Instant::now() + pause < gives_up => {
                tracing::error!(error = %error.full(), ?result, "the result cannot be written");
            }
            written => return written,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
