//! `cargo xtask deny`: what the programs are built of, by `deny.toml`: bans, licences, sources, and advisories where their
//! database can be had.

use std::process::ExitCode;

use anyhow::Result;

use crate::commands::{self, cargo};
use crate::prerequisites;

/// Checks the dependencies of what is shipped and of the fuzzer's own workspace, and looks for advisories.
pub fn run() -> Result<ExitCode> {
    check()?;
    advisories()
}

/// The part that needs nothing but what is here: the same answer every time.
pub fn check() -> Result<()> {
    prerequisites::ensure_cargo("cargo-deny")?;
    for manifest in ["Cargo.toml", "xtask/fuzz/libfuzzer/Cargo.toml"] {
        commands::run(
            cargo()
                .args(["deny", "--manifest-path", manifest, "--config", "deny.toml", "check"])
                .args(["bans", "licenses", "sources"]),
        )?;
    }
    Ok(())
}

/// The database is fetched from where RustSec publishes it. That it cannot be had is said, and is no failure: the answer
/// would depend on the network.
fn advisories() -> Result<ExitCode> {
    let fetched = commands::status(cargo().args(["deny", "fetch", "db"]))?;
    if !fetched.success() {
        eprintln!(
            "advisories: NOT CHECKED, no database; run `cargo xtask deny` where the internet can be reached"
        );
        return Ok(ExitCode::SUCCESS);
    }
    commands::run(cargo().args(["deny", "check", "advisories"]))?;
    Ok(ExitCode::SUCCESS)
}
