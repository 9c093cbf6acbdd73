//! What a running step says of itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use proto::StepProgress;
use tokio::time::Instant;

use super::History;

/// At most five progress events a second.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// A step's way to its history. An event that cannot be written is not told: progress is lost with a line in the log,
/// everything else is the caller's to repeat.
#[derive(Clone, Debug)]
pub struct Reporter {
    history: Arc<History>,
    last_progress: Arc<Mutex<Option<Instant>>>,
}

impl Reporter {
    /// Reports into a history.
    pub fn new(history: Arc<History>) -> Self {
        Self { history, last_progress: Arc::default() }
    }

    /// The history reported into.
    pub fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Reports how far it is, unless it was reported a moment ago. Waits for the disk: for blocking code.
    pub fn moved_blocking(&self, doing: &str, done: u64, total: Option<u64>) {
        if self.progress_is_due() {
            self.tell_blocking(vec![StepProgress::Moved { doing: doing.to_owned(), done, total }]);
        }
    }

    /// Reports how far it is, unless it was reported a moment ago.
    pub async fn moved(&self, doing: &str, done: u64, total: Option<u64>) {
        if self.progress_is_due() {
            self.tell(vec![StepProgress::Moved { doing: doing.to_owned(), done, total }]).await;
        }
    }

    /// Reports that something did not work out, is tried again after `pause`, and is given up when `left` is over.
    pub async fn retry(&self, cause: String, pause: Duration, left: Duration) {
        let now = self.history.clock().now();
        let next_at = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let gives_up_at = now.checked_add(left).unwrap_or(Timestamp::MAX);
        self.tell(vec![StepProgress::Retry { cause, next_at, gives_up_at }]).await;
    }

    /// Appends events; `false` if they could not be written.
    pub async fn tell(&self, progress: Vec<StepProgress>) -> bool {
        let this = self.clone();
        let told = tokio::task::spawn_blocking(move || this.tell_blocking(progress));
        told.await.unwrap_or(false)
    }

    fn tell_blocking(&self, progress: Vec<StepProgress>) -> bool {
        let told = self.history.tell(progress);
        if let Err(error) = &told {
            tracing::warn!(error = %error.full(), "an event could not be written");
        }
        told.is_ok()
    }

    fn progress_is_due(&self) -> bool {
        let now = Instant::now();
        let mut last = self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= PROGRESS_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use proto::Clock;

    use super::*;
    use crate::durable::Disk;

    #[tokio::test(start_paused = true)]
    async fn progress_is_told_five_times_a_second_at_the_most() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        let history = History::open("s".parse().unwrap(), &path, &Disk::real(), Clock::system()).unwrap();
        let reporter = Reporter::new(Arc::new(history));
        for done in 0..100 {
            reporter.moved_blocking("downloading", done, Some(100));
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(reporter.history().count(|what| matches!(what, StepProgress::Moved { .. })), 5);
    }
}
