//! Where the time of day comes from: a value, so that a simulated world has its own.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// A source of wall-clock time. Lengths of time that are waited for go by tokio's clock, never by this one.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that shows what the function returns.
    pub fn from_fn(now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self(now)
    }

    /// What it shows now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_what_it_is_told_to_show_and_so_do_its_clones() {
        let clock = Clock::from_fn(Arc::new(|| Timestamp::UNIX_EPOCH));
        assert_eq!(clock.clone().now(), Timestamp::UNIX_EPOCH);
        assert!(Clock::default().now() > Timestamp::UNIX_EPOCH);
    }
}
