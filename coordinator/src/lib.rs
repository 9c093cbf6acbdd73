//! Ratchet's coordinator: decides, and touches no machine but through the agents.

pub mod catalogue;
pub mod checks;
pub mod plan;
pub mod snapshot;
