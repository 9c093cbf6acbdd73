//! `rlcheck`.

use agent::parse::rlcheck;

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "ALL TESTS PASSED.", "FAILED", "FAIL:", "PASS", "Running test:", "Skipping test:", "Summary:", "(Remark", "\u{1b}[32m",
];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS);

fn seeds() -> Vec<Vec<u8>> {
    seeds::samples(&["rlcheck"])
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let failed = rlcheck::parse(&text, false);
    assert!(!failed.passed && !failed.failures.is_empty(), "it ended with a failure");
    let found = rlcheck::parse(&text, true);
    assert_eq!(found.passed, found.failures.is_empty());
    // A failure is told with the test's name: one name may be told with every line.
    expect::in_proportion(&found.tests, text.len(), 16);
    assert!(found.failures.len() <= text.lines().count() + 1);
    if found.passed {
        assert!(agent::parse::strip_ansi(&text).contains("ALL TESTS PASSED."));
    }
}
