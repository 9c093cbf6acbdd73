//! A node booted with a real systemd, by `systemd-nspawn`: the host's programs, an `/etc` and a `/var` of its own, and
//! Ratchet's agent as its shipped units run it.
//!
//! A test seals itself off first ([`sealed`]): whatever becomes of it, nothing that it started stays behind.

mod cgroups;
mod node;
mod root;
mod seal;

pub use node::Node;
pub use root::Root;
pub use seal::{Failed, sealed};
