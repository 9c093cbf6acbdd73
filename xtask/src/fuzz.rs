//! `cargo xtask fuzz`: every reader of foreign bytes under libFuzzer, for as long as one likes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::commands::{self, cargo, exit_code};
use crate::prerequisites::{self, C_COMPILER, CXX_COMPILER, MAKE};

/// The project that links the targets to libFuzzer; a workspace of its own.
const PROJECT: &str = "xtask/fuzz/libfuzzer/Cargo.toml";

/// What makes the compiler count edges and comparisons, as `cargo fuzz build -s none` has it. All of these are stable; no
/// sanitizer, because nothing of ours is `unsafe`. There is no `--cfg fuzzing`: what is tried is what is shipped.
const INSTRUMENTED: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Arguments of `fuzz`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long, for all targets together
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Only this target; may be given several times
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// How many targets are tried at once
    #[arg(long, default_value_t = 2)]
    jobs: u32,
    /// Writes the figures to this file: for each target runs, edges, corpus, memory, findings
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs it; its exit code says whether anything crashed, hung or took too much memory.
pub fn run(args: &Args) -> Result<ExitCode> {
    prerequisites::ensure(&[C_COMPILER, CXX_COMPILER, MAKE])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let directory = Path::new(&target).join("fuzz");
    let host = host()?;
    // For a named target the flags are not for build scripts and macros, which nobody fuzzes.
    let mut build = cargo();
    build.args(["build", "--release", "--manifest-path", PROJECT, "--target", &host]);
    build.arg("--target-dir").arg(&directory).env("RUSTFLAGS", INSTRUMENTED.join(" "));
    commands::run(&mut build)?;
    let mut fuzz = cargo();
    fuzz.args(["run", "--quiet", "--locked", "-p", "fuzz", "--bin", "ratchet-fuzz", "--"]);
    fuzz.arg("--program").arg(directory.join(&host).join("release/ratchet"));
    fuzz.arg("--directory").arg(&directory);
    fuzz.args(["--minutes", &args.minutes.to_string(), "--jobs", &args.jobs.to_string()]);
    for name in &args.target {
        fuzz.args(["--target", name]);
    }
    if let Some(file) = &args.json {
        fuzz.arg("--json").arg(file);
    }
    Ok(exit_code(commands::status(&mut fuzz)?))
}

/// What the compiler calls this machine.
fn host() -> Result<String> {
    let said = std::process::Command::new("rustc").arg("-vV").output().context("rustc cannot be started")?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}
