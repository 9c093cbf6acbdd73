//! `cargo xtask demo`: builds what is shipped, and shows it on a simulated cluster.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, MAKE, REDIS};

/// Arguments of `demo`; `--help` of the demonstration itself explains them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Everything else goes to the demonstration: --nodes N, --from V, --to V, --fault TEXT, --keep.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs it; its exit code is the upgrade's.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE, REDIS])?;
    let packages = ["-p", "agent", "-p", "coordinator", "-p", "sim", "-p", "stage"];
    commands::run(cargo().args(["build", "--release", "--bins"]).args(packages))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let demo = std::path::Path::new(&target).join("release/ratchet-demo");
    Ok(exit_code(commands::status(Command::new(demo).args(&args.rest))?))
}
