//! `cargo xtask verify`: the run's machine explored exhaustively, deliberate bugs hunted, the whole system simulated, and
//! upgrades run while machines, network and database of their coordinators fail.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Result;

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, MAKE, POSTGRES};

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
    /// Random schedules of faults that strike coordinators and their database; in real time, six a minute
    #[arg(long, default_value_t = 100, value_name = "N")]
    fault_schedules: u32,
    /// Less of everything, as the tests do it on every change.
    #[arg(long)]
    bounded: bool,
}

/// Runs it; its exit code says whether a promise was broken or a deliberate bug got away.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, MAKE, POSTGRES])?;
    let packages = ["-p", "model", "-p", "world", "-p", "ha", "-p", "coordinator"];
    commands::run(cargo().args(["build", "--release", "--locked", "--bins"]).args(packages))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let programs = Path::new(&target).join("release");
    let struck = fault_schedules(args, &programs)?;
    let figures = programs.join("world.json");
    let seeds = if args.bounded { "200" } else { &args.seeds };
    let mut world = Command::new(programs.join("ratchet-world"));
    world.args(["--seeds", seeds, "--systematic", "3", "--json"]).arg(&figures);
    let simulated = commands::status(&mut world)?;
    let mut model = Command::new(programs.join("ratchet-verify"));
    model.arg("--with").arg(format!("world={}", figures.display()));
    model.arg("--with").arg(format!("ha={}", programs.join("ha.json").display()));
    if args.bounded {
        model.arg("--bounded");
    } else {
        model.args(["--states-at-least", STATES]);
    }
    if let Some(file) = &args.json {
        model.arg("--json").arg(file);
    }
    let explored = commands::status(&mut model)?;
    let failed = [struck, simulated].into_iter().find(|status| !status.success());
    Ok(exit_code(failed.unwrap_or(explored)))
}

/// Faults that strike real coordinators on a real database, with a few seeds for every change.
fn fault_schedules(args: &Args, programs: &Path) -> Result<ExitStatus> {
    let schedules = if args.bounded { 4 } else { args.fault_schedules };
    let mut ha = Command::new(programs.join("ratchet-ha"));
    ha.args(["--schedules", &schedules.to_string(), "--json"]).arg(programs.join("ha.json"));
    ha.arg("--files").arg(programs.join("ha"));
    commands::status(&mut ha)
}
