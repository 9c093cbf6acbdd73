//! What is to be done: order and plan. Pure: nothing in here reads or changes the world.

mod advice;
mod difference;
mod document;
mod hazards;
mod make;
mod order;

pub use advice::{post_advice, restarts_cnm_exec};
pub use difference::differences;
pub use document::{Plan, PlannedHop, PlannedNode, PlannedSetting, Turn};
pub use make::{Planned, Wanted, make_plan};
pub use order::next_turn;

#[cfg(test)]
mod tests;
