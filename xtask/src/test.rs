//! `cargo xtask test`: everything that must hold before a change lands. CI calls this and nothing else.

use std::process::ExitCode;

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{
    self, ANALYZE, BSDTAR, C_COMPILER, DBUS, IP, JQ, MAKE, MKFS, NSPAWN, POSTGRES, PYTHON, REDIS,
};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only run the tests, without the checks of form and style.
    #[arg(long)]
    only_tests: bool,
}

/// Form, style, then all tests; the test runner's summary comes last.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[
        C_COMPILER, MAKE, REDIS, JQ, ANALYZE, NSPAWN, DBUS, IP, MKFS, POSTGRES, BSDTAR, PYTHON,
    ])?;
    prerequisites::ensure_nextest()?;
    if !args.only_tests {
        commands::run(cargo().args(["fmt", "--all", "--check"]))?;
        commands::run(cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    // Tests start these programs; built here once, they are not built in the middle of a test.
    commands::run(cargo().args(["build", "--workspace", "--bins", "--locked"]))?;
    let tests =
        commands::status(cargo().args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]))?;
    Ok(exit_code(tests))
}
