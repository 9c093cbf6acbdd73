//! A stage: a simulated cluster, a web server with its packages, one real agent a node and a configuration for the real
//! coordinator. The demonstration and the end-to-end tests play on it.

mod agents;
pub mod demo;
mod mirror;
mod stage;
mod tls;

pub use agents::{AgentError, AgentProcess};
pub use mirror::Mirror;
pub use stage::{Stage, StageSpec};
