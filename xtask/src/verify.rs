//! `cargo xtask verify`: the run's machine explored exhaustively, mutants hunted, and the whole system simulated.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, MAKE};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Writes the figures to this file: states, violations, mutations, mutations_caught, seeds.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Everything else goes to the verification itself, whose `--help` explains it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs it; its exit code says whether a promise was broken or a mutant got away.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE])?;
    let verification = ["-p", "model", "-p", "world", "--bins"];
    commands::run(cargo().args(["build", "--release", "--locked"]).args(verification))?;
    let mut verify = cargo();
    verify.args(["run", "--release", "--locked", "--quiet", "-p", "model", "--bin", "ratchet-verify", "--"]);
    if let Some(file) = &args.json {
        verify.arg("--json").arg(std::path::absolute(file)?);
    }
    Ok(exit_code(commands::status(verify.args(&args.rest))?))
}
