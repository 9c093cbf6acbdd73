//! What is due: everything at once, in the order it must be done in.
//!
//! Each part looks at the rollout, appends what follows to the actions, and to a copy of the rollout, so that the next part
//! sees it. What was appended and not yet performed when a leader dies is due again: an intent is written before its
//! effect, and effects can be repeated.

mod asks;
mod settle;
mod starts;
mod stops;
mod waves;

use jiff::Timestamp;
use proto::{ClusterName, Epoch, RunId};

use super::next::apply;
use super::{Phase, Rollout};
use crate::rollout::{Action, Event, Record, Seen, WindowStands, turn_takes};

pub use settle::UNHEALTHY;

/// What is due now, in the order it must be done in; nothing if there is nothing to do but to wait.
///
/// Events come in an order in which each is legal after the ones before it. A [`Action::Start`] comes again until the run
/// is seen. `fresh_run` makes the id of a cluster's run.
pub fn decide(
    rollout: &Rollout,
    seen: &Seen,
    fresh_run: impl FnMut(&ClusterName) -> RunId,
    now: Timestamp,
) -> Vec<Action> {
    if rollout.is_over() {
        return Vec::new();
    }
    let window = rollout.spec.windows.stands(now);
    let mut due = Due { rollout: rollout.clone(), seen, now, window, actions: Vec::new() };
    due.settle();
    due.watch_health();
    if due.rollout.abort_wanted {
        due.abort();
    } else {
        due.stop();
        due.flip_window();
        due.advance();
        due.start(fresh_run);
        due.ask_runs();
    }
    due.hold();
    due.end();
    due.actions
}

/// What is due so far, and what the rollout is with it.
struct Due<'a> {
    rollout: Rollout,
    seen: &'a Seen,
    now: Timestamp,
    window: WindowStands,
    actions: Vec<Action>,
}

impl Due<'_> {
    /// Writes an event down. One that is not legal is a mistake of this code: it is left out, and nothing follows from it.
    fn append(&mut self, event: Event) -> bool {
        let record = Record { seq: self.rollout.seq + 1, epoch: Epoch::default(), at: self.now, event };
        let verdict = apply(&mut self.rollout, &record);
        debug_assert!(verdict.is_ok(), "{verdict:?}: {record:?}");
        if verdict.is_ok() {
            self.actions.push(Action::Append(record.event));
        }
        verdict.is_ok()
    }

    /// Whether new work may begin, but for the window.
    fn goes_on(&self) -> bool {
        let rollout = &self.rollout;
        rollout.phase == Phase::Active
            && !rollout.pause_wanted
            && !rollout.abort_wanted
            && self.seen.fleet_halt.is_none()
    }

    /// Whether a turn on the cluster would be over before the window closes.
    fn admits(&self, cluster: &ClusterName) -> bool {
        let takes = || turn_takes(&self.rollout.spec, cluster, &self.seen.turns).0;
        self.window.has_room(self.now, takes)
    }
}
