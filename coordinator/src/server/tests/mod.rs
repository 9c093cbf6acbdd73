//! The coordinator's service on a store of its own and agents with canned behaviour.

mod agent;
mod archive;
mod asking;
mod connecting;
mod drivers;
mod hooks;
mod ids;
mod journals;
mod opening;
mod stage;
mod takeover;
mod working;
