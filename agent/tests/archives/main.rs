//! Archives are hostile: a corpus of attacks, what real programs write, and what they would have made of it.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod attacks;
mod bounded;
mod differential;
mod extracted;
mod forge;
mod programs;
mod refused;
mod snapshot;
mod writers;
