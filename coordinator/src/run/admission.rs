//! Whether a turn may begin now, as far as others than the cluster itself have a say in it.

use jiff::Timestamp;
use proto::{Failure, RunId};

/// What is said about a turn that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It may begin.
    Yes,
    /// Not now: the run pauses.
    NotNow {
        /// Why, in one sentence: "the window closes at 04:00 (Europe/Berlin); a turn takes 38 min".
        why: String,
        /// When it may; `None` if that is not known.
        opens_at: Option<Timestamp>,
    },
}

/// Who has a say in when turns begin: the windows of a rollout, the halt of the fleet.
#[async_trait::async_trait]
pub trait Admission: std::fmt::Debug + Send + Sync {
    /// Whether a turn of this run may begin now.
    ///
    /// # Errors
    /// It cannot be told; then the turn does not begin.
    async fn admit(&self, run: &RunId, now: Timestamp) -> Result<Admitted, Failure>;
}

/// Nobody has: turns may always begin.
#[derive(Clone, Copy, Debug)]
pub struct Always;

#[async_trait::async_trait]
impl Admission for Always {
    async fn admit(&self, _: &RunId, _: Timestamp) -> Result<Admitted, Failure> {
        Ok(Admitted::Yes)
    }
}
