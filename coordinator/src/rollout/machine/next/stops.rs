//! A rollout stands still, goes on, and ends.

use jiff::Timestamp;

use super::{Verdict, stand};
use crate::rollout::machine::{Phase, Rollout};
use crate::rollout::{HaltWhy, RolloutEnd, Siblings};

/// Runs in flight are asked to pause, unless the file says that they go on.
pub(super) fn halt(rollout: &mut Rollout, why: &HaltWhy, at: Timestamp) -> Verdict {
    let stops = match (why, &rollout.phase) {
        (HaltWhy::Fleet { .. }, _) => true,
        (HaltWhy::BudgetSpent { .. }, Phase::Halted(HaltWhy::BudgetSpent { .. }))
            if !rollout.resume_wanted =>
        {
            return Err("it has halted".to_owned());
        }
        (HaltWhy::BudgetSpent { .. }, _) if rollout.overspent().is_none() => {
            return Err("no budget is overspent".to_owned());
        }
        (HaltWhy::BudgetSpent { .. }, _) => rollout.spec.on_failure != Siblings::Continue,
    };
    rollout.pause_wanted = stops;
    rollout.resume_wanted = false;
    stand(rollout, Phase::Halted(why.clone()), at);
    Ok(())
}

/// A rollout that has halted stays so: what was asked to pause has paused.
pub(super) fn pause(rollout: &mut Rollout, at: Timestamp) -> Verdict {
    if !rollout.pause_wanted {
        return Err("nobody asked for a pause".to_owned());
    }
    rollout.pause_wanted = false;
    if rollout.phase == Phase::Active {
        stand(rollout, Phase::Paused, at);
    }
    Ok(())
}

pub(super) fn resume(rollout: &mut Rollout, at: Timestamp) -> Verdict {
    if !rollout.resume_wanted {
        return Err("nobody told it to go on".to_owned());
    }
    if rollout.overspent().is_some() {
        return Err("more clusters have failed than the budget allows".to_owned());
    }
    (rollout.resume_wanted, rollout.pause_wanted) = (false, false);
    stand(rollout, Phase::Active, at);
    Ok(())
}

pub(super) fn end(rollout: &mut Rollout, end: RolloutEnd, at: Timestamp) -> Verdict {
    let through = rollout.current_wave().is_none() && rollout.phase == Phase::Active;
    let possible = match end {
        RolloutEnd::Done => through && rollout.failures() == 0,
        RolloutEnd::DoneWithFailures => through && rollout.failures() > 0,
        RolloutEnd::Aborted => rollout.abort_wanted && rollout.in_flight() == 0,
    };
    if !possible {
        return Err("it is not through".to_owned());
    }
    stand(rollout, Phase::Ended(end), at);
    Ok(())
}
