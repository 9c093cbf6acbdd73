//! Nodes booted with a real systemd, by `systemd-nspawn`: the host's programs, an `/etc` and a `/var` of their own, and
//! Ratchet's agent as its shipped units run it. One alone, or a whole simulated cluster on a private bridge ([`Lab`]), whose
//! power, network and disks can fail.
//!
//! A test seals itself off first ([`sealed`]): whatever becomes of it, nothing that it started stays behind.

mod cgroups;
mod commands;
mod configuration;
mod disk;
mod lab;
mod mirror;
mod network;
mod node;
mod ratchet;
mod root;
mod seal;
pub mod up;

pub use lab::{AGENT, Lab, LabSpec};
pub use network::Party;
pub use node::Node;
pub use ratchet::{Driver, Said, Told};
pub use root::Root;
pub use seal::{Failed, sealed, sealed_program};
