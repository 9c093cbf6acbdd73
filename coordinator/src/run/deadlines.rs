//! How long each kind of waiting may last (promise P12).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long each kind of waiting may last. Written into a run when it is created, so that it does not change under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// For the gate before a turn to pass.
    pub gate: Duration,
    /// For a node to be confirmed, by itself and then by others, after its installer ended.
    pub confirm: Duration,
    /// For the installer.
    pub install: Duration,
    /// For an agent that cannot be reached to come back.
    pub reach: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self { gate: minutes(10), confirm: minutes(15), install: minutes(120), reach: minutes(5) }
    }
}

impl Deadlines {
    /// How long to wait for a node whose installer said that it failed: long enough for slow services to answer, not
    /// for a miracle.
    pub fn hopeless(&self) -> Duration {
        self.confirm.min(Duration::from_secs(30))
    }
}
