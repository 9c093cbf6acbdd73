//! The short run of a target: what is done on every change, without instrumentation.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Mutator, Target};

/// Gives a target nothing at all, every seed, every seed cut in the middle, and its number of mutations.
///
/// # Panics
/// Something does not hold; the message has the input, so that it can become a test beside the reader.
pub fn run(target: &Target) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no seeds: nothing would be tried", target.name);
    attempt(target, &[]);
    for seed in &seeds {
        attempt(target, seed);
        attempt(target, &seed[..seed.len() / 2]);
    }
    let mut name = DefaultHasher::new();
    target.name.hash(&mut name);
    let mut mutator = Mutator::new(name.finish(), &seeds, target.words, target.longest);
    for _ in 0..runs(target) {
        attempt(target, &mutator.mutation());
    }
}

/// `RATCHET_FUZZ_RUNS` asks for another number: for more than every change can wait for, where there is no libFuzzer.
fn runs(target: &Target) -> usize {
    let asked = std::env::var("RATCHET_FUZZ_RUNS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(target.short_runs)
}

fn attempt(target: &Target, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        panic!("{} breaks on these {} bytes: {}", target.name, bytes.len(), bytes.escape_ascii());
    }
}
