//! `cargo xtask bench`: what must be fast, measured against a peer in the same run.

use std::process::ExitCode;

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, MAKE};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this one, for instance `preflight`
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Runs them and prints figures; machines differ, so the ratios count.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE])?;
    let mut bench = cargo();
    bench.args(["bench", "--locked", "-p", "coordinator"]);
    match &args.name {
        Some(name) => bench.args(["--bench", name]),
        None => bench.arg("--benches"),
    };
    Ok(exit_code(commands::status(&mut bench)?))
}
