//! `ratchet-fleet`: a fleet of simulated agents in a process of its own. Its first line is the list of its clusters; then
//! it does what it is told on stdin, and ends with it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use fleet::certificates::Certificates;
use fleet::{Fleet, FleetSpec, Pace, control};
use proto::Version;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Simulated agents for the real coordinator.
#[derive(Debug, Parser)]
#[command(after_help = control::WORDS)]
struct Args {
    /// How many clusters
    #[arg(long, default_value_t = 40)]
    clusters: u32,
    /// How many nodes each has
    #[arg(long, default_value_t = 3)]
    nodes: u32,
    /// The number of the first cluster
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// The version all nodes are at
    #[arg(long, default_value = "7.4.2-54")]
    from: Version,
    /// How long an installation takes, in milliseconds
    #[arg(long, default_value_t = 0)]
    install_ms: u64,
    /// How long any other step takes, in milliseconds
    #[arg(long, default_value_t = 0)]
    step_ms: u64,
    /// The master's role moves on when the master is upgraded
    #[arg(long)]
    master_moves: bool,
    /// The agents connect to this coordinator by themselves; several are tried in turn
    #[arg(long, value_name = "HOST:PORT")]
    connect: Vec<String>,
    /// Connections are secured by the authority in this directory
    #[arg(long, value_name = "DIRECTORY")]
    tls: Option<PathBuf>,
}

impl Args {
    fn spec(&self) -> Result<FleetSpec> {
        let pace = Pace {
            install: Duration::from_millis(self.install_ms),
            step: Duration::from_millis(self.step_ms),
        };
        let certificates = self.tls.as_deref().map(Certificates::read).transpose()?;
        Ok(FleetSpec {
            first: self.first,
            from: self.from,
            pace,
            master_moves: self.master_moves,
            certificates: certificates.map(Arc::new),
            ..FleetSpec::new(self.clusters, self.nodes)
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ratchet-fleet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let spec = args.spec()?;
    let mut fleet = if args.connect.is_empty() { Fleet::listening(&spec).await? } else { Fleet::made(&spec) };
    println!("{}", serde_json::to_string(&fleet.listed())?);
    fleet.connect(&args.connect);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{}", control::obey(&fleet, &line));
    }
    Ok(())
}
