//! What `ratchet-sim` is when a node runs it: the vendor's tools, the installer's helper, the services process, a shard.

pub mod installer;
pub mod installer_checks;
mod network;
pub mod services;
pub mod shard;
pub mod supervisor;
pub mod tool;
