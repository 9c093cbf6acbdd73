//! Ratchet's agent: everything that touches one node.

pub mod answers;
pub mod claims;
pub mod config;
pub mod connecting;
pub mod durable;
pub mod enrolling;
pub mod executor;
pub mod facts;
pub mod failures;
pub mod halts;
pub mod hooks;
pub mod host;
pub mod journal;
pub mod memory;
pub mod metrics;
pub mod node;
pub mod observe;
pub mod offline;
pub mod package;
pub mod parse;
pub mod program;
pub mod refusal;
pub mod rest;
pub mod rpc;
pub mod runner;
pub mod serve;
pub mod state;
pub mod steps;

pub use serve::{RunError, run};
