//! Trying again what may pass by itself: every attempt that failed is an event, and there is an end to it (promise P12).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto::{Clock, Failure, NodeUid, StepId};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::driver::Driving;
use super::{Event, Retry, Wait};
use crate::agents::is_unreachable;

/// How long to go on trying, and what has been tried. It waits by the monotonic clock: a wall clock that jumps neither
/// lengthens nor shortens it.
#[derive(Debug)]
pub(super) struct Patience {
    wait: Wait,
    limit: Duration,
    node: Option<NodeUid>,
    step: Option<StepId>,
    clock: Clock,
    gives_up: Instant,
    gives_up_at: Timestamp,
    attempt: u32,
    pause: Backoff,
}

impl Patience {
    /// Begins now and lasts for the limit.
    pub(super) fn new(clock: &Clock, wait: Wait, limit: Duration) -> Self {
        let mut patience = Self {
            wait,
            limit,
            node: None,
            step: None,
            clock: clock.clone(),
            gives_up: Instant::now(),
            gives_up_at: clock.now(),
            attempt: 0,
            pause: Backoff::reconnecting(),
        };
        patience.renew();
        patience
    }

    /// Says which node it is about.
    pub(super) fn about(&mut self, node: NodeUid) {
        self.node = Some(node);
    }

    /// Says which step it is about.
    pub(super) fn about_step(&mut self, node: NodeUid, step: &StepId) {
        self.node = Some(node);
        self.step = Some(step.clone());
    }

    /// Waits for a cluster to settle: asked as soon as it can answer, and never rarely.
    pub(super) fn settling(mut self) -> Self {
        self.pause = Backoff::settling();
        self
    }

    /// Something went forward: the time begins anew.
    pub(super) fn renew(&mut self) {
        self.gives_up = Instant::now() + self.limit;
        self.gives_up_at = later(self.clock.now(), self.limit);
        self.attempt = 0;
        self.pause = self.pause.anew();
    }

    /// When it gives up, for people.
    pub(super) fn gives_up_at(&self) -> Timestamp {
        self.gives_up_at
    }

    /// Whether the time is up.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.gives_up
    }

    /// The next pause, with nothing to be written down about it: what is waited for is seen for the first time no more.
    pub(super) fn next_pause(&mut self) -> Duration {
        self.attempt += 1;
        self.pause.next_pause()
    }

    /// The next pause, and what is to be written down about it.
    pub(super) fn next(&mut self, cause: String) -> (Duration, Retry) {
        let pause = self.next_pause();
        let retry = Retry {
            wait: self.wait,
            node: self.node,
            step: self.step.clone(),
            attempt: self.attempt,
            cause,
            next_try_at: later(self.clock.now(), pause),
            gives_up_at: self.gives_up_at,
        };
        (pause, retry)
    }
}

impl Driving {
    /// Asks again, with growing pauses, while the agent cannot be reached and the time is not up. The outer error means
    /// that the journal could not be written.
    pub(super) async fn persist<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        mut patience: Patience,
        mut ask: impl FnMut() -> F,
    ) -> Result<Result<T, Failure>, Failure> {
        loop {
            match ask().await {
                Err(failure) if is_unreachable(&failure) && !patience.is_over() => {
                    self.pause_for_retry(&mut patience, failure.to_string()).await?;
                }
                answer => return Ok(answer),
            }
        }
    }

    /// Writes down that something is tried again, and waits until it is time.
    pub(super) async fn pause_for_retry(
        &self,
        patience: &mut Patience,
        cause: String,
    ) -> Result<(), Failure> {
        let (pause, retry) = patience.next(cause);
        // Side by side with this, another step may have halted the run: then there is nothing more to say.
        self.journal.append_if_legal(Event::Retrying(retry)).await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
