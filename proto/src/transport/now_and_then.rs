//! What may happen thousands of times a second is told now and then only.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When something was told last.
#[derive(Debug)]
pub(super) struct NowAndThen {
    every: Duration,
    told: Mutex<Option<Instant>>,
}

impl NowAndThen {
    pub(super) fn once_in(every: Duration) -> Self {
        Self { every, told: Mutex::default() }
    }

    /// Whether it may be told again. Whoever is told yes tells it.
    pub(super) fn is_due(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| told.elapsed() >= self.every);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_many_at_once_one_is_told_and_later_one_more() {
        let now_and_then = NowAndThen::once_in(Duration::from_secs(1));
        assert!(now_and_then.is_due());
        assert!(!now_and_then.is_due());
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert!(now_and_then.is_due());
        assert!(!now_and_then.is_due());
    }
}
