//! Ratchet's coordinator: decides, and touches no machine but through the agents.

pub mod advisories;
pub mod agents;
pub mod catalogue;
pub mod checks;
pub mod cli;
pub mod config;
pub mod documents;
pub mod failures;
pub mod fingerprint;
pub mod hooks;
pub mod identity;
pub mod logging;
pub mod metrics;
pub mod notify;
pub mod observe;
pub mod paths;
pub mod pki;
pub mod plan;
pub mod readiness;
pub mod rollout;
pub mod run;
pub mod server;
pub mod snapshot;
pub mod store;
pub mod tables;
