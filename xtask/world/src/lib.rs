//! Deterministic simulation of the whole system: the real coordinator and the real agents, over a network, disks, clocks
//! and a product that live in one process and in virtual time.
//!
//! A seed is a world: which nodes, which faults and when. What must hold whatever happens (the promises P1 to P13) is
//! checked where the effects are, not where they are talked about. Nothing here starts a process, opens a socket or waits.

mod clock;
pub mod headquarters;
pub mod history;
mod life;
pub mod machine;
mod network;
pub mod operator;
mod product;
mod promises;
pub mod report;
mod rng;
pub mod script;
mod slots;
pub mod store;
pub mod systematic;
mod weather;
mod world;

pub use world::{Outcome, Shared, World, run};
