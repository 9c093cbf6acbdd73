//! Bytes that somebody else wrote, given to every reader of them. A *target* is one reader, or a few that read the same
//! text, with what must hold of whatever it answers: no panic, nothing much larger than what it came from, and where it
//! can be said, the same again out of what it was rendered to.
//!
//! The same functions run twice: as tests, over seeds and a fixed number of mutations of them, without instrumentation
//! ([`short`]); and under libFuzzer, for as long as somebody wants (`cargo xtask fuzz`, the crate `libfuzzer`).

pub mod expect;
mod mutate;
pub mod seeds;
pub mod short;
mod target;
mod targets;

pub use mutate::Mutator;
pub use target::Target;
pub use targets::TARGETS;

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
