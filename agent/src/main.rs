//! `ratchet-agent`: serves one node, or, as `run-op`, runs one installer to its end.

use std::path::PathBuf;
use std::process::ExitCode;

use agent::config::{Config, DEFAULT_FILE};
use agent::enrolling::{EnrollArgs, RenewArgs};
use agent::host::starts;
use agent::program;
use clap::{Parser, Subcommand};
use proto::StepId;

/// Ratchet's agent: carries out on one Redis Enterprise node what a coordinator asks.
#[derive(Debug, Parser)]
#[command(name = "ratchet-agent", version)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, default_value = DEFAULT_FILE)]
    config: PathBuf,
    /// Say more; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show claim, packages and steps from the state directory; works without a running agent.
    Status,
    /// Get this node's certificate with a token from `ratchet pki token`. Its key is made here and never leaves.
    Enroll(EnrollArgs),
    /// Get a new certificate for this node, with a new key, while the old one is still valid.
    Renew(RenewArgs),
    /// Run the installer of a step that was ordered on this node. Started by the agent, not by people.
    #[command(hide = true)]
    RunOp {
        /// The step.
        step: StepId,
        /// Start it as a process that outlives this one.
        #[arg(long)]
        detach: bool,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    starts::set_umask();
    // A node that enrols has no certificates, so its configuration may not hold yet.
    if let Some(Verb::Enroll(args)) = &cli.verb {
        program::start_logging(cli.verbose);
        return ended(program::enroll(args));
    }
    let config = match Config::load(&cli.config) {
        Ok(config) => config,
        Err(error) => return program::complain(&error, ExitCode::from(2)),
    };
    program::start_logging(cli.verbose);
    ended(match cli.verb {
        None => program::serve(config),
        Some(Verb::Enroll(args)) => program::enroll(&args),
        Some(Verb::Renew(args)) => program::renew(&config, &args),
        Some(Verb::Status) => program::status(&config),
        Some(Verb::RunOp { step, detach: true }) => program::detach_op(&config, &step),
        Some(Verb::RunOp { step, detach: false }) => program::run_op(&config, &step),
    })
}

fn ended(ended: program::Ended) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => program::complain(error.as_ref(), ExitCode::FAILURE),
    }
}
