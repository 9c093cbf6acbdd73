//! Ratchet's developer tasks: `cargo xtask demo`, `cargo xtask test`. One file a task.

mod commands;
mod demo;
mod prerequisites;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer tasks. Each installs what it needs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Upgrade a whole simulated cluster, with real processes, and report what happened.
    Demo(demo::Args),
    /// Run everything that must hold before a change lands.
    Test(test::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Demo(args) => demo::run(&args),
        Task::Test(args) => test::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
