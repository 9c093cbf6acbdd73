//! `ratchet-lab`: what `cargo xtask lab up` runs.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Booted nodes on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask lab", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Boot nodes, say how to reach them, and keep them until Ctrl-C.
    Up(lab::up::Args),
}

fn main() -> ExitCode {
    let Verb::Up(args) = Cli::parse().verb;
    match lab::sealed_program(async |place| lab::up::run(place, &args).await) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
