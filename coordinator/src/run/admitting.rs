//! Asking whoever else has a say in it whether a turn may begin: before the gate is looked at, and once more just before
//! it is passed.

use proto::Failure;

use super::driver::Driving;
use super::{Admitted, Event};

/// What was said about the next turn.
pub(super) enum Entry {
    /// It may begin.
    Open,
    /// Not now: the run is paused, or something else is due by now.
    Left,
    /// It could not be told, with the reason. Then it does not begin.
    CannotTell(String),
}

impl Driving {
    /// Asks whether a turn may begin now; if not, the run pauses. An abort that was asked for meanwhile leaves nothing to
    /// pause.
    pub(super) async fn admitted(&self) -> Result<Entry, Failure> {
        let now = self.world.clock.now();
        let asked = self.world.admission.admit(self.journal.run_id(), now);
        match self.minding_requests(asked).await? {
            Ok(Admitted::Yes) => Ok(Entry::Open),
            Ok(Admitted::NotNow { why, opens_at }) => {
                self.journal.append_if_legal(Event::NotAdmitted { why, opens_at }).await?;
                Ok(Entry::Left)
            }
            Err(failure) => {
                Ok(Entry::CannotTell(format!("whether a turn may begin now cannot be told: {failure}")))
            }
        }
    }
}
