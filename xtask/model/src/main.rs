//! `ratchet-verify`: checks the machine of a run within bounds, and that deliberate bugs are found.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use model::bounds::{BOUNDED, FULL};
use model::verify::{Extent, Figures, verify};

/// Checks the machine of a run, its judgements and the claim rules: every history within bounds, deliberate bugs, and
/// long random histories.
#[derive(Debug, Parser)]
#[command(name = "ratchet-verify")]
struct Args {
    /// Less of everything: for every commit.
    #[arg(long)]
    bounded: bool,
    /// Fail if fewer distinct states were seen.
    #[arg(long, value_name = "N")]
    states_at_least: Option<usize>,
    /// Seeds of the random histories, A..B.
    #[arg(long, value_name = "A..B")]
    seeds: Option<String>,
    /// Write the figures here, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Add the figures of another check from its JSON file; its `violations` and `seeds` count.
    #[arg(long, value_name = "NAME=FILE")]
    with: Vec<String>,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where failing histories are kept.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/histories"))]
    histories: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let extent = extent(&args)?;
    let mut figures = verify(&extent, &mut |line| println!("{line}"))
        .map_err(|failure| anyhow::anyhow!("the model cannot begin: {failure}"))?;
    add_others(&mut figures, &args.with)?;
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&figures)? + "\n";
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    println!(
        "{} states, {} violations, {} of {} deliberate bugs found, {} seeds",
        figures.states, figures.violations, figures.mutations_caught, figures.mutations, figures.seeds
    );
    let enough = args.states_at_least.is_none_or(|least| figures.states >= least);
    let good = enough && figures.violations == 0 && figures.mutations_caught == figures.mutations;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn extent(args: &Args) -> anyhow::Result<Extent> {
    let most = if args.bounded { 40 } else { 2_000 };
    let seeds = match &args.seeds {
        None => 0..most,
        Some(text) => {
            let (from, to) = text.split_once("..").context("seeds are given as A..B")?;
            from.parse()?..to.parse()?
        }
    };
    Ok(Extent {
        explorations: if args.bounded { BOUNDED } else { FULL },
        seeds,
        threads: args.threads,
        histories: Some(args.histories.clone()),
    })
}

fn add_others(figures: &mut Figures, with: &[String]) -> anyhow::Result<()> {
    for other in with {
        let (name, file) = other.split_once('=').context("--with takes NAME=FILE")?;
        let text = std::fs::read_to_string(file).with_context(|| format!("{file} cannot be read"))?;
        let other: serde_json::Value = serde_json::from_str(&text)?;
        let violations = other.get("violations").and_then(serde_json::Value::as_u64);
        figures.violations += usize::try_from(violations.context("the file has no `violations`")?)?;
        figures.seeds += other.get("seeds").and_then(serde_json::Value::as_u64).unwrap_or_default();
        figures.others.insert(name.to_owned(), other);
    }
    Ok(())
}
