//! `cargo xtask verify`: the run's machine explored exhaustively, deliberate bugs hunted, and the whole system simulated.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, MAKE};

/// What the exploration has to see at least.
const STATES: &str = "10000000";

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Writes the figures to this file: states, violations, mutations, mutations_caught, seeds.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seeds of the whole-system simulation, `A..B` or how many from 0.
    #[arg(long, default_value = "10000")]
    seeds: String,
    /// Less of everything, as the tests do it on every change.
    #[arg(long)]
    bounded: bool,
}

/// Runs it; its exit code says whether a promise was broken or a deliberate bug got away.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE])?;
    commands::run(cargo().args(["build", "--release", "--locked", "-p", "model", "-p", "world", "--bins"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let programs = Path::new(&target).join("release");
    let figures = programs.join("world.json");
    let seeds = if args.bounded { "200" } else { &args.seeds };
    let mut world = Command::new(programs.join("ratchet-world"));
    world.args(["--seeds", seeds, "--systematic", "3", "--json"]).arg(&figures);
    let simulated = commands::status(&mut world)?;
    let mut model = Command::new(programs.join("ratchet-verify"));
    model.arg("--with").arg(format!("world={}", figures.display()));
    if args.bounded {
        model.arg("--bounded");
    } else {
        model.args(["--states-at-least", STATES]);
    }
    if let Some(file) = &args.json {
        model.arg("--json").arg(file);
    }
    let explored = commands::status(&mut model)?;
    Ok(exit_code(if simulated.success() { explored } else { simulated }))
}
