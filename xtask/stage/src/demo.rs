//! The demonstration: a cluster is upgraded in the terminal while a client writes to its databases.

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use proto::Version;
use sim::{ClusterSpec, DatabaseSpec, Meter, MeterReport, Timing};

use crate::{Stage, StageSpec};

/// The bytes of the main package inside a demonstration's archive: enough to see a download move.
const PAYLOAD: u64 = 48 * 1024 * 1024;
/// How long replacing a node's files takes: long enough to be watched.
const INSTALL: Duration = Duration::from_secs(3);

/// Upgrades a simulated Redis Enterprise cluster with the real agent and coordinator, and reports what happened.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo xtask demo")]
pub struct Args {
    /// Nodes of the cluster, 1 to 35.
    #[arg(long, default_value_t = 3)]
    nodes: u32,
    /// The version the cluster is at.
    #[arg(long, default_value = "7.4.2-54")]
    from: Version,
    /// The version it is upgraded to.
    #[arg(long, default_value = "7.22.0-95")]
    to: Version,
    /// More packages at hand, for upgrades of several hops.
    #[arg(long, value_name = "V")]
    via: Vec<Version>,
    /// A statement of the simulator's fault language, for instance `on install of node 2: abort`.
    #[arg(long, value_name = "TEXT")]
    fault: Vec<String>,
    /// Keep the cluster's directory, and say where it is.
    #[arg(long)]
    keep: bool,
}

/// Runs the demonstration. The exit code is that of `ratchet upgrade`.
///
/// # Errors
/// When the stage cannot be set.
pub async fn run(args: &Args) -> Result<ExitCode> {
    let place = tempfile::Builder::new().prefix("ratchet-demo-").tempdir()?;
    let (dir, _removed_at_the_end) = match args.keep {
        true => (place.keep(), None),
        false => (place.path().to_owned(), Some(place)),
    };
    say(&format!("a cluster of {} nodes at {} comes up in {}", args.nodes, args.from, dir.display()));
    let stage = Stage::set(&dir, spec(args)).await?;
    let meter = Meter::start(&stage.cluster)?;
    let target = args.to.to_string();
    show(&stage, &["status"])?;
    show(&stage, &["package", "list"])?;
    show(&stage, &["paths", "--from", &args.from.to_string(), "--to", &target])?;
    let upgraded = show(&stage, &["upgrade", stage.name(), "--to", &target, "--yes"])?;
    show(&stage, &["status"])?;
    show(&stage, &["runs"])?;
    report(&stage, &meter.report());
    if args.keep {
        say(&format!("everything is kept in {}", PathBuf::from(&dir).display()));
    }
    Ok(ExitCode::from(upgraded))
}

fn spec(args: &Args) -> StageSpec {
    let cluster = ClusterSpec {
        name: "demo".to_owned(),
        nodes: args.nodes,
        databases: databases(args.nodes),
        faults: args.fault.join("\n"),
        timing: Timing { install: INSTALL, ..Timing::default() },
        ..ClusterSpec::three_nodes(args.from)
    };
    let mut versions = args.via.clone();
    versions.push(args.to);
    let mut spec = StageSpec::new(cluster, &versions);
    spec.packages.iter_mut().for_each(|package| package.payload_bytes = PAYLOAD);
    spec
}

/// One node cannot replicate.
fn databases(nodes: u32) -> Vec<DatabaseSpec> {
    match nodes {
        1 => vec![DatabaseSpec::single("orders")],
        _ => vec![DatabaseSpec::replicated("orders"), DatabaseSpec::replicated("sessions")],
    }
}

/// Runs a verb of `ratchet` in this terminal, as a person would.
fn show(stage: &Stage, verb: &[&str]) -> Result<u8> {
    say(&format!("ratchet {}", verb.join(" ")));
    let status =
        stage.ratchet()?.args(verb).stdin(Stdio::inherit()).status().context("ratchet cannot be started")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    if code != 0 {
        say(&format!("exit code {code}"));
    }
    Ok(code)
}

fn say(text: &str) {
    println!("\n── {text}");
}

/// What happened, as the cluster and its client tell it.
fn report(stage: &Stage, meter: &MeterReport) {
    say("what the cluster saw");
    for uid in stage.nodes() {
        for install in stage.cluster.installs(uid) {
            let took = install.ended.map(|ended| ended.duration_since(install.started).as_millis());
            let took = took.map_or("not ended".to_owned(), |took| format!("{took} ms"));
            println!(
                "   node {uid}: install.sh {} to {} at {:.3} took {took}",
                install.args.join(" "),
                install.target,
                install.started
            );
        }
    }
    match stage.cluster.overlaps().as_slice() {
        [] => println!("   no two nodes were installed at the same time"),
        overlaps => println!("   AT THE SAME TIME: {overlaps:?}"),
    }
    say("what a client noticed that wrote to every database all the while");
    for database in &meter.databases {
        let by_node: Vec<String> =
            database.gaps_by_node.iter().map(|(uid, millis)| format!("node {uid}: {millis} ms")).collect();
        println!(
            "   {}: {} writes acknowledged, {} refused, {} acknowledged and lost{}; longest gap {} ms; during installs: {}",
            database.name,
            database.acknowledged,
            database.failed,
            database.lost,
            if database.read_back { "" } else { " (not everything could be read back)" },
            database.longest_gap.millis,
            if by_node.is_empty() { "none".to_owned() } else { by_node.join(", ") },
        );
    }
}
