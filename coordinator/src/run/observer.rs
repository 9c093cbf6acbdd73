//! Who is told of what happens to runs: a value, so that a run knows neither metrics nor whoever else listens.

use std::fmt::Debug;

use super::{Record, Run};

/// Is told of every event right after it was written down. It must not wait: the run does not go on before it returns.
pub trait JournalObserver: Debug + Send + Sync {
    /// The event was appended, and this is the run after it.
    fn appended(&self, run: &Run, record: &Record);
}
