//! The coordinator's service on a store of its own and agents with canned behaviour.

mod agent;
mod archive;
mod asking;
mod connecting;
mod drivers;
mod halts;
mod hooks;
mod ids;
mod inventory;
mod journals;
mod leading;
mod logs;
mod measuring;
mod notices;
mod opening;
mod receiver;
mod stage;
mod starting;
mod takeover;
mod working;
