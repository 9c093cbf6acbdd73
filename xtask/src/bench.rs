//! `cargo xtask bench`: what must be fast, measured against a peer in the same run.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, MAKE};

/// Every benchmark, and the crate it is in. `fleet` and `storm` have 10,000 simulated agents and take minutes.
const BENCHES: [(&str, &str); 5] = [
    ("preflight", "coordinator"),
    ("plan", "fleet"),
    ("journal", "fleet"),
    ("fleet", "fleet"),
    ("storm", "fleet"),
];

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this one: `preflight`, `plan`, `journal`, `fleet` or `storm`
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Runs them and prints figures; machines differ, so the ratios count.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE])?;
    let wanted = |bench: &str| args.name.as_deref().is_none_or(|name| name == bench);
    let mut done = None;
    for (bench, package) in BENCHES.into_iter().filter(|(bench, _)| wanted(bench)) {
        // One after the other: they measure the machine.
        let status = commands::status(cargo().args(["bench", "--locked", "-p", package, "--bench", bench]))?;
        if !status.success() {
            return Ok(exit_code(status));
        }
        done = Some(exit_code(status));
    }
    match done {
        Some(code) => Ok(code),
        None => bail!("there is no such benchmark; there are {}", BENCHES.map(|(bench, _)| bench).join(", ")),
    }
}
