//! `cargo xtask lab`: nodes with a real systemd on this machine, for a person to look at or for the tests to break.

use std::process::ExitCode;

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, DBUS, IP, MAKE, MKFS, NSPAWN, REDIS};

/// Arguments of `lab`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Boot nodes, say how to reach them, and keep them until Ctrl-C.
    Up {
        /// Goes to the lab itself, whose `--help` explains it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Run every fault in every step on such nodes, and write the table of outcomes.
    Test,
}

/// Runs it.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE, REDIS, NSPAWN, DBUS, IP, MKFS])?;
    commands::run(cargo().args(["build", "--workspace", "--bins", "--locked"]))?;
    let done = match &args.what {
        What::Up { rest } => {
            let lab = ["run", "--quiet", "--locked", "-p", "lab", "--bin", "ratchet-lab", "--", "up"];
            commands::status(cargo().args(lab).args(rest))?
        }
        What::Test => {
            prerequisites::ensure_cargo("cargo-nextest")?;
            commands::status(cargo().args(["nextest", "run", "--locked", "--no-fail-fast", "-p", "lab"]))?
        }
    };
    Ok(exit_code(done))
}
