//! Growing pauses between attempts.

use std::time::Duration;

/// Pauses that double up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// For an agent that cannot be reached: a restart takes a second, a reboot minutes.
    pub fn reconnecting() -> Self {
        Self { next: Duration::from_millis(100), most: Duration::from_secs(5) }
    }

    /// For a cluster that has to settle: asked as soon as it can answer, and never rarely.
    pub fn settling() -> Self {
        Self { next: Duration::from_millis(100), most: Duration::from_secs(2) }
    }

    /// The pause to make now; the next one is longer.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = self.next.saturating_mul(2).min(self.most);
        pause
    }
}
