//! Watching an op from the agent, also from one that was started later.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use proto::{RunnerKind, StepId, StepProgress};
use rustix::fs::{FlockOperation, flock};
use tokio::time::Instant;

use super::tail::Tail;
use super::{OpFiles, OpResult, Process, Started, files, procfs, systemd, void};
use crate::durable;
use crate::executor::Reporter;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a lock may stay free before the op runner counts as gone: it may be about to take it.
const UNLOCKED_FOR: Duration = Duration::from_secs(5);
/// Output is told line by line up to here; the file has all of it.
const MOST_LINES: usize = 20_000;

/// How an op ended, as seen from the agent.
#[derive(Debug)]
pub enum Ended {
    /// Its runner says how.
    Result(OpResult),
    /// Nobody knows how far it got.
    Interrupted(String),
    /// Its runner went away before it began, and none can begin any more: nothing was changed.
    NeverStarted,
}

/// Follows an op to its end and reports its output. `overdue` is when even an op runner that hangs is given up.
pub async fn follow(
    dir: &Path,
    step: &StepId,
    kind: RunnerKind,
    overdue: Instant,
    report: &Reporter,
) -> Ended {
    let files = files(dir);
    let told = report.history().count(|what| matches!(what, StepProgress::Output(_)));
    let mut output = Output { tail: Tail::behind(&files.output, told), told };
    let mut unlocked_since: Option<Instant> = None;
    loop {
        output.tell(report, false).await;
        // The order matters: a result that is written before the lock is freed is always seen.
        let held = is_held(&files.lock);
        match durable::read_json::<OpResult>(&files.result) {
            Ok(Some(result)) => {
                output.tell(report, true).await;
                return Ended::Result(result);
            }
            Ok(None) => {}
            Err(error) => return Ended::Interrupted(error.full()),
        }
        // A held lock proves that the op runner lives, whatever boot id a sandbox or container shows.
        if !held && let Some(reason) = rebooted(&files) {
            return Ended::Interrupted(reason);
        }
        let alive = held || installer_lives(&files) || unit_is_starting(kind, step, &files).await;
        unlocked_since = if alive { None } else { unlocked_since.or(Some(Instant::now())) };
        if unlocked_since.is_some_and(|since| since.elapsed() >= UNLOCKED_FOR) {
            output.tell(report, true).await;
            return gone(dir);
        }
        if Instant::now() >= overdue {
            return Ended::Interrupted("the op runner neither ended nor kept the deadline".to_owned());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What the end of an op is whose runner is gone without a result.
fn gone(dir: &Path) -> Ended {
    match void(dir) {
        Ok(true) => Ended::NeverStarted,
        Ok(false) => Ended::Interrupted("the op runner is gone and left no result".to_owned()),
        Err(error) => Ended::Interrupted(error.full()),
    }
}

struct Output {
    tail: Tail,
    told: usize,
}

impl Output {
    /// Tells new lines; one that could not be written is told the next time.
    async fn tell(&mut self, report: &Reporter, rest: bool) {
        while self.told < MOST_LINES {
            let lines = match self.tail.read(rest) {
                Ok(lines) if !lines.lines.is_empty() => lines,
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "the installer's output cannot be read");
                    return;
                }
            };
            if !report.tell(lines.lines.iter().cloned().map(StepProgress::Output).collect()).await {
                return;
            }
            self.told += lines.lines.len();
            self.tail.pass(&lines);
        }
    }
}

fn is_held(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

/// Why an op cannot be running any more: the machine was booted since. Without a readable start there is no telling.
fn rebooted(files: &OpFiles) -> Option<String> {
    let started: Started = durable::read_json(&files.started).ok()??;
    let boot = procfs::boot_id().ok()?;
    let rebooted = started.boot_id != boot;
    rebooted.then(|| "the machine was restarted while the installer was running".to_owned())
}

/// The op runner may be dead while the installer lives on: then its end is waited for.
fn installer_lives(files: &OpFiles) -> bool {
    durable::read_json::<Process>(&files.child).ok().flatten().is_some_and(procfs::is_alive)
}

async fn unit_is_starting(kind: RunnerKind, step: &StepId, files: &OpFiles) -> bool {
    kind == RunnerKind::Systemd && !files.started.exists() && systemd::is_starting(step).await
}
