//! `ratchet-lab up`: a lab for a person, kept until Ctrl-C.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use proto::Version;

use crate::network::{Party, address};
use crate::{Lab, LabSpec};

/// Arguments of `up`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Nodes, 1 to 35.
    #[arg(long, default_value_t = 3)]
    nodes: u32,
    /// The version they are at.
    #[arg(long, default_value = "7.4.2-54")]
    from: Version,
    /// A version whose package is at hand. May be given several times.
    #[arg(long, value_name = "V", default_value = "7.22.0-95")]
    to: Vec<Version>,
    /// A statement of the simulator's fault language; `ratchet-sim faults` explains it.
    #[arg(long, value_name = "TEXT")]
    fault: Vec<String>,
}

/// Boots the lab in a sealed place, says how to use it, and keeps it until Ctrl-C.
///
/// # Errors
/// When it does not come up.
pub async fn run(place: &Path, args: &Args) -> Result<()> {
    let mut spec = LabSpec::new(args.from, &args.to);
    spec.cluster.nodes = args.nodes;
    spec.cluster.timing.install = std::time::Duration::from_secs(3);
    spec.cluster.faults = args.fault.join("\n");
    let lab = Lab::boot(place, &spec).await?;
    let enter = write_scripts(place, &lab)?;
    println!("\nA cluster of {} nodes at {} is up. In another terminal, as root:\n", args.nodes, args.from);
    for uid in lab.uids() {
        println!("  {enter} n{uid}                  # node {uid}, {}", address(Party::Node(uid)));
    }
    let target = args.to.first().context("no version to upgrade to")?;
    println!("  {enter} n1 rladmin status extra all");
    println!("  {enter} ratchet status");
    println!("  {enter} ratchet upgrade {} --to {target}", spec.cluster.name);
    println!("  {enter} fault 'now: node 2 down'     # `{enter} fault --help` explains the language");
    println!("\nEverything lies in {}. Ctrl-C ends it.", place.display());
    tokio::signal::ctrl_c().await?;
    println!("\nThe nodes are switched off.");
    Ok(())
}

/// What the script `enter` runs inside the seal; it is written from outside, where the seal's process is known.
fn write_scripts(place: &Path, lab: &Lab) -> Result<String> {
    let mut cases = String::new();
    for uid in lab.uids() {
        let entering = lab.node(uid)?.entering().join(" ");
        let path = "env PATH=/opt/redislabs/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        cases.push_str(&format!(
            "n{uid}) shift; [ $# -gt 0 ] || set -- bash -l; exec nsenter {entering} {path} \"$@\" ;;\n"
        ));
    }
    let ratchet = sim::built_binary("coordinator", "ratchet")?;
    let (network, configuration) = (lab.coordinator(), lab.configuration());
    cases.push_str(&format!(
        "ratchet) shift; exec nsenter --net={} {} --config {} \"$@\" ;;\n",
        network.display(),
        ratchet.display(),
        configuration.display()
    ));
    let (simulator, engine) = (sim::tool_binary()?, place.join("c"));
    cases.push_str(&format!(
        "fault) shift; [ \"$1\" = --help ] && exec {0} faults; exec {0} fault {1} \"$@\" ;;\n",
        simulator.display(),
        engine.display()
    ));
    let inside = place.join("inside");
    fs::write(&inside, format!("#!/bin/sh\ncase \"$1\" in\n{cases}*) exec \"$@\" ;;\nesac\n"))?;
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o755))?;
    Ok(place.join("enter").display().to_string())
}
