//! A fleet of light simulated agents: thousands in one process, without files and programs, behind the real service.
//!
//! They keep claims, steps and halts by the agent's own rules and outlive every coordinator. A ledger beside them writes
//! down each installation and says at once when a promise was broken.

mod agent;
pub mod certificates;
mod cluster;
pub mod configuration;
mod connect;
pub mod control;
mod details;
mod facts;
pub mod figures;
mod fleet;
mod halts;
mod ledger;
mod line;
mod order;
pub mod process;
mod service;
mod spec;
mod step;

pub use cluster::SimCluster;
pub use fleet::Fleet;
pub use ledger::{Deed, Entry, Ledger, Violation};
pub use spec::{FleetSpec, Pace};
