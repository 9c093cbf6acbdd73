//! Rollouts: many runs over the fleet, in waves. Pure: what a file says, what happened, what is due now.
//!
//! `next(rollout, event)` folds a rollout's journal into a [`Rollout`]; `decide(rollout, seen, now)` names what is due. Who
//! leads the fleet performs it (`server/rollouts`).

mod admission;
mod calendar;
mod event;
mod file;
mod forecast;
mod machine;
pub mod partners;
mod seen;
mod select;
mod spec;

pub use admission::{admission, p95, turn_takes};
pub use calendar::{NotNow, WindowStands};
pub use event::{Event, FORMAT, HaltWhy, Outcome, Record, Request, RolloutEnd};
pub use file::parse_rollout;
pub use forecast::{ForecastRow, forecast};
pub use machine::{
    ClusterPart, ClusterStands, Illegal, Phase, Rollout, Soak, UNHEALTHY, Waiting, WaveStands, decide, next,
    replay, waits_for,
};
pub use partners::{PartnerSight, partners, sight};
pub use seen::{Action, Health, Measured, Partners, RunSeen, RunStands, Seen};
pub use select::{FleetCluster, Selection, select};
pub use spec::{Blackout, Selector, Siblings, Spec, Wave, Window, Windows};

#[cfg(test)]
mod tests;
