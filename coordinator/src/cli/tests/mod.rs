//! The whole command line against a fake coordinator.

mod archive;
mod fake;
mod feed;
mod following;
mod paths;
mod schema;
mod stage;
mod upgrading;
mod verbs;
