//! Random histories, and those that were kept.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::path::{Path, PathBuf};

use model::history::{History, random};
use model::verify::all_histories;

fn kept() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn no_random_history_breaks_a_promise() {
    let (steps, failed) = all_histories(0..60, 2).unwrap();
    for failed in &failed {
        eprintln!("{}: {}: {}", failed.history.name, failed.violation.promise, failed.violation.what);
    }
    assert!(failed.is_empty(), "seeds 0..60: {} histories break a promise", failed.len());
    assert!(steps > 60 * 50, "{steps} steps are hardly any");
}

#[test]
fn a_seed_is_always_the_same_history() {
    for seed in [1, 7, 23] {
        let once = random(seed).unwrap().unwrap();
        assert_eq!(random(seed).unwrap().unwrap(), once, "seed {seed}");
    }
}

/// What once broke a promise does not any more.
#[test]
fn kept_histories_go_well() {
    let files = kept();
    assert!(!files.is_empty());
    for file in files {
        let history = History::read(&file).unwrap();
        let happened = history.replay().unwrap();
        let steps = happened.unwrap_or_else(|broken| panic!("{}: {broken:?}", file.display()));
        // If hardly anything of it is possible any more, it tests nothing and has to be made anew.
        assert!(steps * 4 >= history.steps.len() * 3, "{}: only {steps} steps happened", file.display());
    }
}
