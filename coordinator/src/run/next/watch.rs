//! What the watch over the cluster saw (promise P4).

use jiff::Timestamp;
use proto::{StepId, StepKind};

use super::{Verdict, active};
use crate::run::{Breach, Run, StepEntry};

/// A turn whose install is not intended yet goes back to its gate: at once, or when the check that is at work has ended. An
/// install that is intended goes on; the gate after it will not pass on a look from before.
pub(super) fn breached(run: &mut Run, seen_at: Timestamp, breaches: &[Breach]) -> Verdict {
    active(run)?;
    if breaches.is_empty() {
        return Err("nothing was seen that must not be".to_owned());
    }
    run.breach = Some((seen_at, breaches.to_vec()));
    let Some(turn) = &run.turn else { return Ok(()) };
    let check = StepId::of(&run.id, turn.hop, turn.node, StepKind::Check, turn.round);
    let checking = run.ledger.get(&check).is_some_and(StepEntry::in_flight);
    if !checking && !run.install_intended(turn) {
        run.turn = None;
        run.turned_back += 1;
    }
    Ok(())
}
