//! `cargo xtask test`: everything that must hold before a change lands. CI calls this and nothing else.

use std::process::ExitCode;

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::deny;
use crate::prerequisites::{
    self, ANALYZE, AR, BSDTAR, C_COMPILER, DBUS, GNUPG, GPGV, IP, JQ, MAKE, MINISIGN, MKFS, NSPAWN, POSTGRES,
    PYTHON, Program, REDIS, RPM,
};

/// What tests start.
const PROGRAMS: [Program; 17] = [
    C_COMPILER, MAKE, REDIS, JQ, NSPAWN, DBUS, IP, MKFS, POSTGRES, GNUPG, GPGV, RPM, MINISIGN, AR, BSDTAR,
    ANALYZE, PYTHON,
];

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only run the tests, without the checks of form and style.
    #[arg(long)]
    only_tests: bool,
}

/// Form, style, then all tests; the test runner's summary comes last.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&PROGRAMS)?;
    prerequisites::ensure_cargo("cargo-nextest")?;
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
        deny::check()?;
    }
    // Tests start these programs; built here once, they are not built in the middle of a test.
    commands::run(cargo().args(["build", "--workspace", "--bins", "--locked"]))?;
    let tests =
        commands::status(cargo().args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]))?;
    Ok(exit_code(tests))
}
