//! Ratchet's developer tasks: `cargo xtask demo`, `test`, `verify`, `fuzz`, `deny`, `lab`, `bench`. One file a task.

mod bench;
mod commands;
mod demo;
mod deny;
mod fuzz;
mod lab;
mod prerequisites;
mod test;
mod verify;

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
    /// Model-check the run's machine, hunt deliberate bugs, and simulate the whole system; minutes, with figures.
    Verify(verify::Args),
    /// Measure what must be fast, each against a peer in the same run.
    Bench(bench::Args),
    /// Give damaged input to every reader of foreign bytes, for as long as one likes.
    Fuzz(fuzz::Args),
    /// Check the dependencies: licences, sources, what must not be among them, known vulnerabilities.
    Deny,
    /// Boot nodes with a real systemd, to look at or to break.
    Lab(lab::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Demo(args) => demo::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Verify(args) => verify::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Deny => deny::run(),
        Task::Lab(args) => lab::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
