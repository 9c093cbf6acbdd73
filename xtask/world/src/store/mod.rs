//! The coordinators' store: one truth in memory that is linearizable, and for every process a door to it that can fail,
//! hang, and die before or after a record.

mod door;
mod shelves;
mod truth;

pub use door::{Cut, StoreDoor, StoreFaults};
pub use truth::{Appended, Truth};
