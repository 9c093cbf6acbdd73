//! The coordinator's service on a store of its own and agents with canned behaviour.

mod admission;
mod agent;
mod archive;
mod asking;
mod connecting;
mod drivers;
mod fleet;
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
mod partners;
mod receiver;
mod rollouts;
mod stage;
mod starting;
mod steady;
mod taken_out;
mod takeover;
mod working;
