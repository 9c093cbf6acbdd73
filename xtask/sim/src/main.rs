//! `ratchet-sim`: simulated clusters by hand, and what their nodes run.

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    cli::run(cli::Cli::parse()).await
}
