//! Carrying out a plan: a pure machine that says what happens next, a journal that remembers, a driver that acts.
//!
//! `next(run, event)` folds the journal into a [`Run`]; `decide(run)` names the one [`Action`] that is due; the driver
//! performs it and appends what came of it. A restart is nothing special: fold again, decide again.

mod action;
mod admission;
mod admitting;
mod backoff;
mod deadlines;
mod decide;
mod driver;
mod durations;
mod event;
mod foreign;
mod hooking;
mod journal;
mod judge;
mod ledger;
mod next;
mod observer;
mod progress;
mod retrying;
mod settings;
mod settle;
mod side_effects;
mod state;
mod steps;
mod story;
mod wait;
mod watch;
mod watching;

pub use action::{Action, StepOrder};
pub use admission::{Admission, Admitted, Always};
pub use deadlines::Deadlines;
pub use decide::decide;
pub use driver::{Driving, World};
pub use durations::{median, turn_durations};
pub use event::{Breach, Event, Halt, Record, Request, RunEnd};
pub use judge::{GateVerdict, judge_gate, judge_witness};
pub use ledger::{Ledger, StepEntry, StepState};
pub use next::{Illegal, next, replay};
pub use observer::JournalObserver;
pub use side_effects::{SideEffect, SideEffects};
pub use state::{Driver, NodeProgress, Phase, Run, Turn};
pub use wait::{Retry, Wait};
pub use watch::judge_watch;

#[cfg(test)]
mod tests;
