//! 10,000 simulated agents of 2,000 clusters, and a real coordinator that is served: how long it takes to look at all of
//! them, and what that costs.
//!
//! The peer, measured in the same run, asks the same agents the same and does nothing with the answers.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the benchmark")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fleet::configuration::{Listed, Place, ratchet_toml};
use fleet::figures::Figures;
use fleet::process::{FleetProcess, Served, Usage, free_address, usage};
use futures::StreamExt;
use proto::pb;
use proto::transport::{Security, Timeouts, agent_client, dial};
use proto::wire::Observe;
use serde_json::Value;

const CLUSTERS: u32 = 2000;
const NODES: u32 = 5;
/// Processes that the agents are in.
const PROCESSES: u32 = 2;
/// Sweeps over connections that stand; the middle one counts.
const SWEEPS: usize = 5;
/// Requests that the peer has under way.
const AT_ONCE: usize = 512;
/// What a coordinator may need, in MiB.
const MEMORY: f64 = 512.0;
/// How long the coordinator is watched while nobody asks it anything.
const REST: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let program = sim::built_binary("fleet", "ratchet-fleet").unwrap();
    let part = CLUSTERS / PROCESSES;
    let start = |process: u32| {
        let args = [("--clusters", part), ("--nodes", NODES), ("--first", process * part)];
        let args = args.map(|(key, number)| [key.to_owned(), number.to_string()]).concat();
        FleetProcess::start(&program, &args).unwrap()
    };
    let fleets: Vec<FleetProcess> = (0..PROCESSES).map(start).collect();
    let clusters: Vec<Listed> = fleets.iter().flat_map(|fleet| fleet.clusters.clone()).collect();
    let setting = format!("{} agents in {PROCESSES} processes, {CLUSTERS} clusters", CLUSTERS * NODES);
    let mut figures = Figures::of("fleet", setting);
    let peer = bare_sweeps(&clusters).await;
    sweeps(&clusters, peer, &mut figures).await;
    for (number, fleet) in fleets.iter().enumerate() {
        let used = usage(fleet.pid()).unwrap();
        figures.add(format!("agents, process {number}: peak memory"), used.peak_mib, "MiB");
    }
    figures.tell().unwrap();
}

/// What the peer needs: for the first sweep, in seconds, and for one over connections that stand.
#[derive(Clone, Copy)]
struct Times {
    first: f64,
    usual: f64,
    /// Memory that the connections need, in MiB.
    memory: f64,
}

async fn sweeps(clusters: &[Listed], peer: Times, figures: &mut Figures) {
    let place = tempfile::tempdir().unwrap();
    let (config, log) = (place.path().join("ratchet.toml"), place.path().join("serve.log"));
    let address = free_address().unwrap();
    let store = format!("sqlite://{}", place.path().join("ratchet.db").display());
    let configured = Place { store, listen: Some(address), packages: Vec::new(), more: String::new() };
    std::fs::write(&config, ratchet_toml(&configured, &unlabelled(clusters))).unwrap();
    let ratchet = sim::built_binary("coordinator", "ratchet").unwrap();
    let served = Served::start(&ratchet, &config, &log, address).await.unwrap();
    let began = usage(served.pid()).unwrap();
    let first = sweep(&ratchet, &config, &served);
    let mut usual: Vec<f64> = (0..SWEEPS).map(|_| sweep(&ratchet, &config, &served)).collect();
    usual.sort_by(f64::total_cmp);
    let swept = usage(served.pid()).unwrap();
    tokio::time::sleep(REST).await;
    let rested = usage(served.pid()).unwrap();
    figures.add("first sweep, all agents dialled", first, "s").beside(peer.first);
    figures.add("sweep over connections that stand", usual[SWEEPS / 2], "s").beside(peer.usual);
    let cpu = (swept.cpu_s - began.cpu_s) / (SWEEPS + 1) as f64;
    figures.add("coordinator: CPU for a sweep", cpu, "s");
    used(&began, &swept, &rested, figures);
    let connections = rested.rss_mib - began.rss_mib;
    figures.add("coordinator: memory that came with the agents", connections, "MiB").beside(peer.memory);
}

fn used(began: &Usage, swept: &Usage, rested: &Usage, figures: &mut Figures) {
    figures.add("coordinator: memory before any look", began.rss_mib, "MiB");
    figures.add("coordinator: peak memory", rested.peak_mib, "MiB").at_most(MEMORY);
    figures.add("coordinator: memory afterwards", rested.rss_mib, "MiB").at_most(MEMORY);
    let share = (rested.cpu_s - swept.cpu_s) / REST.as_secs_f64() * 100.0;
    figures.add("coordinator: CPU while nobody asks", share, "% of one");
    figures.add("coordinator: descriptors", rested.descriptors as f64, "");
}

/// Labels do not matter here, and this way older programs read the file, too.
fn unlabelled(clusters: &[Listed]) -> Vec<Listed> {
    clusters.iter().map(|cluster| Listed { labels: Default::default(), ..cluster.clone() }).collect()
}

/// `ratchet status` of everything; all agents must have answered.
fn sweep(ratchet: &Path, config: &Path, served: &Served) -> f64 {
    let began = Instant::now();
    let mut command = Command::new(ratchet);
    command.arg("--config").arg(config).arg("--coordinator").arg(served.address().to_string());
    let output = command.args(["-o", "json", "status"]).output().unwrap();
    let took = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let clusters = status["clusters"].as_array().unwrap();
    assert_eq!(clusters.len(), CLUSTERS as usize);
    let unwell = clusters.iter().find(|cluster| cluster["healthy"] != true);
    assert!(unwell.is_none(), "{unwell:#?}");
    took
}

async fn bare_sweeps(clusters: &[Listed]) -> Times {
    let before = usage(std::process::id()).unwrap().rss_mib;
    let channels: Vec<_> = clusters
        .iter()
        .flat_map(|cluster| &cluster.agents)
        .map(|agent| dial(agent, &Security::InsecureLoopback, Timeouts::default()).unwrap())
        .collect();
    let mut times = Vec::new();
    for _ in 0..=SWEEPS {
        let began = Instant::now();
        let asked = futures::stream::iter(channels.iter().cloned()).map(|channel| async move {
            let request = pb::ObserveRequest::from(&Observe::default());
            agent_client(channel).observe(request).await.unwrap();
        });
        let answered = asked.buffer_unordered(AT_ONCE).count().await;
        assert_eq!(answered, channels.len());
        times.push(began.elapsed().as_secs_f64());
    }
    let memory = usage(std::process::id()).unwrap().rss_mib - before;
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    Times { first, usual: times[times.len() / 2], memory }
}
