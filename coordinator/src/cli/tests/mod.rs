//! The whole command line against a fake coordinator.

mod archive;
mod catalogue;
mod fake;
mod feed;
mod following;
mod paths;
mod pki;
mod rollouts;
mod schema;
mod serving;
mod stage;
mod upgrading;
mod verbs;
mod verifying;
mod waiting;
