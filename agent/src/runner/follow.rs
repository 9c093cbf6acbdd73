//! Watching an op from the agent, also from one that was started later.

use std::path::Path;
use std::time::Duration;

use proto::{StepId, StepProgress};
use tokio::time::Instant;

use super::tail::Tail;
use super::{OpResult, Ops, SignOfLife, files, void};
use crate::durable::{self, Disk};
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

/// An op that is followed.
#[derive(Debug)]
pub struct Op<'a> {
    /// The directory of its files.
    pub dir: &'a Path,
    /// Its step.
    pub step: &'a StepId,
    /// Who looks after op runners.
    pub ops: &'a dyn Ops,
    /// The agent's disk.
    pub disk: &'a Disk,
}

/// Follows an op to its end and reports its output. `overdue` is when even an op runner that hangs is given up.
pub async fn follow(op: Op<'_>, overdue: Instant, report: &Reporter) -> Ended {
    let files = files(op.dir);
    let told = report.history().count(|what| matches!(what, StepProgress::Output(_)));
    let mut output = Output { tail: Tail::behind(&files.output, told), told };
    let mut silent_since: Option<Instant> = None;
    loop {
        output.tell(report, false).await;
        // The order matters: a result that is written before the last sign of life is always seen.
        let sign = op.ops.sign_of_life(op.dir, op.step).await;
        match durable::read_json::<OpResult>(&files.result) {
            Ok(Some(result)) => {
                output.tell(report, true).await;
                return Ended::Result(result);
            }
            Ok(None) => {}
            Err(error) => return Ended::Interrupted(error.full()),
        }
        silent_since = match sign {
            SignOfLife::Rebooted(reason) => return Ended::Interrupted(reason),
            SignOfLife::Running => None,
            SignOfLife::None => silent_since.or(Some(Instant::now())),
        };
        if silent_since.is_some_and(|since| since.elapsed() >= UNLOCKED_FOR)
            && let Some(ended) = gone(&op)
        {
            output.tell(report, true).await;
            return ended;
        }
        if Instant::now() >= overdue {
            return Ended::Interrupted("the op runner neither ended nor kept the deadline".to_owned());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What the end of an op is whose runner is gone without a result; `None` while the disk does not take that it must not
/// begin any more.
fn gone(op: &Op<'_>) -> Option<Ended> {
    match void(op.disk, op.dir) {
        Ok(true) => Some(Ended::NeverStarted),
        Ok(false) => Some(Ended::Interrupted("the op runner is gone and left no result".to_owned())),
        Err(error) if error.may_pass() => {
            tracing::warn!(error = %error.full(), "a start cannot be used up");
            None
        }
        Err(error) => Some(Ended::Interrupted(error.full())),
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
