//! The run machine under attack: the real `next` and `decide` against a world that fails, crashes and moves the master.

mod admission;
mod foreign;
mod journal;
mod machine;
mod random;
mod side_effects;
mod story;
mod waits;
mod watched;
mod world;
