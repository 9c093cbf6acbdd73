//! Wall clocks that follow virtual time, each with jumps of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The wall-clock time at which every world begins: fixed, so that a history is the same on every day.
const BEGINNING: i64 = 1_790_000_000;

/// The wall clock of one host.
#[derive(Clone, Debug)]
pub struct HostClock {
    began: Instant,
    ahead_ms: Arc<AtomicI64>,
}

impl HostClock {
    /// A clock that is right, in a world that began at that moment.
    pub fn new(began: Instant) -> Self {
        Self { began, ahead_ms: Arc::default() }
    }

    /// Sets the clock forward, or back.
    pub fn jump(&self, by_ms: i64) {
        self.ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Sets it right again.
    pub fn correct(&self) {
        self.ahead_ms.store(0, Ordering::SeqCst);
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let ahead = SignedDuration::from_millis(elapsed.saturating_add(self.ahead_ms.load(Ordering::SeqCst)));
        let beginning = Timestamp::from_second(BEGINNING).unwrap_or_default();
        beginning.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// As the product's parts want it.
    pub fn as_clock(&self) -> proto::Clock {
        let clock = self.clone();
        proto::Clock::from_fn(Arc::new(move || clock.now()))
    }
}
