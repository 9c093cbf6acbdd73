//! `ratchet-world`: lets many worlds happen and says which promises they broke.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use world::Shared;
use world::report::{self, Broken};
use world::script::Script;
use world::systematic;

/// Simulates the whole system: the real coordinator and agents on a simulated network, disk, clock and product.
#[derive(Debug, Parser)]
#[command(name = "ratchet-world")]
struct Arguments {
    /// Seeds to try, `A..B` or how many from 0.
    #[arg(long, default_value = "1000", value_parser = seeds)]
    seeds: std::ops::Range<u64>,
    /// Also: the death of every writer at every durable record of a run of so many nodes, and a full disk at each.
    #[arg(long, value_name = "NODES")]
    systematic: Option<u32>,
    /// Where to write the figures, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Worlds side by side.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Print the history of every world, also of those that broke nothing.
    #[arg(long)]
    histories: bool,
}

fn seeds(text: &str) -> Result<std::ops::Range<u64>, std::num::ParseIntError> {
    match text.split_once("..") {
        Some((from, to)) => Ok(from.parse()?..to.parse()?),
        None => Ok(0..text.parse()?),
    }
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let shared = Shared::make()?;
    if arguments.histories {
        return tell_all(&arguments, &shared);
    }
    let worlds: Vec<(String, Script)> =
        arguments.seeds.clone().map(|seed| (format!("seed {seed}"), Script::of(seed))).collect();
    let mut report = report::run(&worlds, arguments.threads, &shared, &tell);
    if let Some(nodes) = arguments.systematic {
        let worlds = systematic::scripts(nodes, &shared)?;
        let seeds_per_minute = report.seeds_per_minute;
        report = report.and(report::run(&worlds, arguments.threads, &shared, &tell));
        report.seeds_per_minute = seeds_per_minute;
    }
    if let Some(file) = &arguments.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    writeln!(stdout(), "{report}")?;
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell_all(arguments: &Arguments, shared: &Shared) -> Result<ExitCode> {
    for seed in arguments.seeds.clone() {
        let outcome = world::run(&Script::of(seed), shared)?;
        writeln!(stdout(), "{}", outcome.readable())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The seed and the whole history of a world that broke a promise.
fn tell(broken: &Broken) {
    let Broken { name, violations, history, .. } = broken;
    // Nobody is left to be told that stdout is closed.
    let _ = writeln!(stdout(), "BROKEN in {name}:\n  {}\n{history}", violations.join("\n  "));
}
