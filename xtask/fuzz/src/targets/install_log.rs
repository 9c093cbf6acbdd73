//! What `install.sh` says.

use agent::parse::install_log;

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "Installation is complete!", "Installation complete.", "[!] Point your browser at the following", "[x]", "[!]", "abort",
    "FAILED", "Error: Package:", "Requires:", "dpkg: error", "E: ", "\\", "\\[",
];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS);

fn seeds() -> Vec<Vec<u8>> {
    seeds::samples(&["install-"])
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let log = install_log::parse(&text);
    assert!(!log.complete || log.errors.is_empty());
    assert!(log.errors.len() <= text.lines().count());
    expect::in_proportion(&log, text.len(), 16);
    // What is said after an error does not heal it.
    if !log.errors.is_empty() {
        assert!(!install_log::parse(&format!("{text}\nInstallation complete.\n")).complete);
    }
}
