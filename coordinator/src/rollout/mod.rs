//! Rollouts: many runs over the fleet, in waves. Pure: what a file says, what happened, what is due now.
//!
//! `next(rollout, event)` folds a rollout's journal into a [`Rollout`]; `decide(rollout, seen, now)` names what is due. Who
//! leads the fleet performs it (`server/rollouts`).

mod event;
mod seen;
mod spec;

pub use event::{Event, FORMAT, HaltWhy, Outcome, Record, Request, RolloutEnd};
pub use seen::{Action, Health, Measured, Partners, RunSeen, RunStands, Seen};
pub use spec::{Blackout, Selector, Siblings, Spec, Wave, Window, Windows};
