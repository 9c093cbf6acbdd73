//! `ratchet-fuzz`: every target under libFuzzer in turn, for so many minutes in all, with a table of what came of it.
//! `cargo xtask fuzz` builds the instrumented program and starts this.

mod campaign;
mod figures;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use fuzz::{TARGETS, Target};

/// Fuzzes every reader of foreign bytes.
#[derive(Debug, Parser)]
#[command(name = "ratchet-fuzz")]
struct Args {
    /// The instrumented program.
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// Where seeds, corpora and what was found are kept: the corpora grow from run to run.
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// How long, for all targets together.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Only this target; several may be named.
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// How many targets are tried at once.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ratchet-fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let targets = chosen(&args.target)?;
    let figures = campaign::run(args, &targets)?;
    println!("{}", table::of(&figures));
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&figures)?;
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    let sound = figures.iter().all(figures::Figures::is_sound);
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    let target = |name: &String| match fuzz::target(name) {
        Some(target) => Ok(target),
        None => {
            let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            bail!("there is no target `{name}`; there are {}", known.join(", "))
        }
    };
    names.iter().map(target).collect()
}
