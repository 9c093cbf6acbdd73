//! Growing pauses between attempts.

use std::time::Duration;

/// Pauses that double up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    next: Duration,
    most: Duration,
}

impl Backoff {
    fn new(first: Duration, most: Duration) -> Self {
        Self { first, next: first, most }
    }

    /// For an agent that cannot be reached: a restart takes a second, a reboot minutes.
    pub fn reconnecting() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// For a cluster that has to settle: asked as soon as it can answer, and never rarely.
    pub fn settling() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(2))
    }

    /// The same from its beginning.
    pub fn anew(self) -> Self {
        Self::new(self.first, self.most)
    }

    /// The pause to make now; the next one is longer.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = self.next.saturating_mul(2).min(self.most);
        pause
    }
}
