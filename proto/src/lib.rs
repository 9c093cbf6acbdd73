//! The contract between the agent and the coordinator: the vocabulary both sides share, the `.proto` files, and the
//! conversions between the two. Nothing in here reads or changes the world.

mod version;

pub use version::{InvalidVersion, Line, Release, ReleaseRange, Version};
