//! Runs `install.sh`, at most once for a step (promise P6). What comes back is evidence; `confirm` gives the verdict.

use std::time::Duration;

use proto::{Failure, FailureKind, InstallSpec, Installed, StepId, StepReport};
use tokio::time::Instant;

use super::{Done, StepContext, Stop};
use crate::answers;
use crate::failures::chain;
use crate::parse::install_log;
use crate::runner::{self, Ended, Op, OpResult};

/// An op runner that has not ended this long after the installation's deadline is given up.
const OVERDUE: Duration = Duration::from_secs(300);

pub(super) async fn run(context: &StepContext, spec: &InstallSpec) -> Result<Done, Stop> {
    let dir = context.dir();
    if !runner::was_started(&dir) {
        check_preconditions(context, spec).await?;
        launch(context).await?;
    }
    let deadline = spec.deadline.unwrap_or(context.door.config.install_deadline) + OVERDUE;
    let overdue = Instant::now() + context.left(deadline);
    let op = Op { dir: &dir, step: &context.record.step, ops: &*context.door.ops, disk: &context.door.disk };
    match runner::follow(op, overdue, &context.report).await {
        Ended::Result(OpResult::Ran { exit, took_ms }) => {
            let log = runner::output_log(&dir);
            let said = install_log::parse(&String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()));
            Ok(Done::new(StepReport::Install(Installed {
                exit,
                took_ms,
                log_says_complete: said.complete,
                log_errors: said.errors,
                log_path: log.display().to_string(),
            })))
        }
        Ended::Result(OpResult::Refused(failure)) => Err(failure.into()),
        Ended::Interrupted(reason) => Err(Stop::Interrupted(reason)),
        Ended::NeverStarted => Err(not_started("the op runner ended before it began").into()),
    }
}

/// A launch that failed may yet have worked, as when systemd's answer was lost: what counts is whether the one start is
/// used up. While the disk does not take that, nobody knows, and the op is followed.
async fn launch(context: &StepContext) -> Result<(), Stop> {
    let Err(error) = context.door.ops.launch(&context.record.step).await else { return Ok(()) };
    match runner::void(&context.door.disk, &context.dir()) {
        Ok(true) => Err(not_started(&chain(&error)).into()),
        Ok(false) => Ok(()),
        Err(unwritten) => {
            tracing::warn!(launch = %chain(&error), error = %unwritten.full(), "a start cannot be used up");
            Ok(())
        }
    }
}

fn not_started(cause: &str) -> Failure {
    let message = "the installer could not be started; nothing was changed";
    let remedy = "see that ratchet-op@.service is installed, read its log, then `ratchet retry`";
    Failure::operator("not-started", message, remedy).because(cause)
}

/// What must hold on this node immediately before the effect.
async fn check_preconditions(context: &StepContext, spec: &InstallSpec) -> Result<(), Box<Failure>> {
    let door = &context.door;
    if let Some(failure) = runner::refused_order(spec, &door.config) {
        return Err(Box::new(failure));
    }
    answers::record(&door.config, &door.disk, &context.dir())?;
    runner::authentic_manifest(spec, &door.config, &door.state, door.clock.now())?;
    let another = runner::another_lives(&*door.ops, &door.state, &context.record.step).await;
    if let Some(other) = another.map_err(|error| Box::new(Failure::from(error)))? {
        return Err(still_at_work(&other));
    }
    let installed = door.node.installed().await?.version;
    if installed != spec.expected_installed {
        let cause = format!("{installed} is installed, and the plan expects {}", spec.expected_installed);
        return Err(changed("wrong-version", cause));
    }
    if let Some(expected) = spec.expected_role {
        let role = door.node.role().await?;
        if role != expected {
            // The role may move at any moment and nothing was started: the driver looks again whose turn it is.
            let cause = format!("the node is {role} now, and was {expected} when its turn began");
            return Err(Box::new(Failure { kind: FailureKind::Retry, ..*changed("wrong-role", cause) }));
        }
    }
    Ok(())
}

fn still_at_work(other: &StepId) -> Box<Failure> {
    let message =
        format!("the installer of step {other} is still at work on this node; none was started beside it");
    let remedy = "wait for it to end, or end it on the node; then `ratchet resume`";
    Box::new(Failure::operator("install-in-flight", message, remedy))
}

fn changed(id: &str, cause: String) -> Box<Failure> {
    let message = "the node is not as the plan expects it; the installer was not started";
    let remedy = "look with `ratchet status`, then `ratchet retry`, or make a new plan";
    Box::new(Failure::operator(id, message, remedy).because(cause))
}
