//! `ratchet-ha`: lets faults strike upgrades on many schedules, and says what was violated and how long runs stood still.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use ha::lanes::Lanes;
use ha::schedule::Schedule;

/// Upgrades behind coordinators whose machines, network and database fail: random schedules of faults.
#[derive(Debug, Parser)]
#[command(name = "ratchet-ha")]
struct Args {
    /// How many schedules
    #[arg(long, default_value_t = 100)]
    schedules: u64,
    /// The first one's seed; the others follow
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many at once
    #[arg(long, default_value_t = 4)]
    lanes: usize,
    /// Write the figures here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The program to test, instead of the workspace's own
    #[arg(long, value_name = "PROGRAM")]
    ratchet: Option<PathBuf>,
    /// Where logs and journals of schedules in which something was violated are kept
    #[arg(long, value_name = "DIR", default_value = "target/ha")]
    files: PathBuf,
    /// Keep those of the others, too
    #[arg(long)]
    keep: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let program = match args.ratchet {
        Some(program) => program,
        None => sim::built_binary("coordinator", "ratchet")?,
    };
    let lanes = Lanes { lanes: args.lanes, program, files: args.files, keep: args.keep };
    let schedules = (args.seed..args.seed.saturating_add(args.schedules)).map(Schedule::of).collect();
    let report = lanes.run(schedules, &|line| say(line))?;
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    say(&report.to_string());
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(line: &str) {
    // Nobody is left to be told that stdout is closed.
    let _told = writeln!(stdout(), "{line}");
}
