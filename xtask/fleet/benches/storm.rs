//! A coordinator that 10,000 agents connect to is killed and comes back: how long until all of them are back, and what
//! that costs.
//!
//! The peer, measured in the same run, is a listener that answers each agent's first line and does nothing more.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the benchmark")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fleet::configuration::{Listed, Place, ratchet_toml};
use fleet::figures::Figures;
use fleet::process::{FleetProcess, Served, free_address, usage};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const CLUSTERS: u32 = 2000;
const NODES: u32 = 5;
/// Processes that the agents are in.
const PROCESSES: u32 = 2;
const AGENTS: usize = (CLUSTERS * NODES) as usize;
/// Between two looks at how many are back.
const LOOK: Duration = Duration::from_millis(20);
/// The most that is waited.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a coordinator may need, in MiB.
const MEMORY: f64 = 512.0;

#[tokio::main]
async fn main() {
    let setting = format!("{AGENTS} agents that connect by themselves, in {PROCESSES} processes");
    let mut figures = Figures::of("storm", setting);
    let (first, again) = bare().await;
    let place = tempfile::tempdir().unwrap();
    let address = free_address().unwrap();
    let fleets = fleets(address);
    let clusters: Vec<Listed> = fleets.iter().flat_map(|fleet| fleet.clusters.clone()).collect();
    let store = format!("sqlite://{}", place.path().join("ratchet.db").display());
    let configured = Place { store, listen: Some(address), packages: Vec::new(), more: String::new() };
    std::fs::write(place.path().join("ratchet.toml"), ratchet_toml(&configured, &clusters)).unwrap();
    let began = Instant::now();
    let mut served = serve(place.path(), address).await;
    until_all_are_there(&served).await;
    figures.add("all have connected, from the start", began.elapsed().as_secs_f64(), "s").beside(first);
    served.kill().unwrap();
    let began = Instant::now();
    let served = serve(place.path(), address).await;
    until_all_are_there(&served).await;
    figures.add("all are back after a kill", began.elapsed().as_secs_f64(), "s").beside(again);
    let used = usage(served.pid()).unwrap();
    figures.add("coordinator: CPU for it", used.cpu_s, "s");
    figures.add("coordinator: peak memory", used.peak_mib, "MiB").at_most(MEMORY);
    figures.tell().unwrap();
}

fn fleets(address: SocketAddr) -> Vec<FleetProcess> {
    let program = sim::built_binary("fleet", "ratchet-fleet").unwrap();
    let part = CLUSTERS / PROCESSES;
    let start = |process: u32| {
        let args = [("--clusters", part), ("--nodes", NODES), ("--first", process * part)];
        let mut args = args.map(|(key, number)| [key.to_owned(), number.to_string()]).concat();
        args.extend(["--connect".to_owned(), address.to_string()]);
        FleetProcess::start(&program, &args).unwrap()
    };
    (0..PROCESSES).map(start).collect()
}

async fn serve(place: &Path, address: SocketAddr) -> Served {
    let ratchet = sim::built_binary("coordinator", "ratchet").unwrap();
    Served::start(&ratchet, &place.join("ratchet.toml"), &place.join("serve.log"), address).await.unwrap()
}

/// Each connection is a descriptor of the coordinator.
async fn until_all_are_there(served: &Served) {
    let began = Instant::now();
    loop {
        let there = usage(served.pid()).unwrap().descriptors;
        if there >= AGENTS {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{there} of {AGENTS} are there");
        tokio::time::sleep(LOOK).await;
    }
}

/// The same agents and a listener that does nothing: how long the first time, and after all were dropped.
async fn bare() -> (f64, f64) {
    let address = free_address().unwrap();
    let _fleets = fleets(address);
    let first = all_of_them(address).await;
    (first, all_of_them(address).await)
}

async fn all_of_them(address: SocketAddr) -> f64 {
    let began = Instant::now();
    let listener = TcpListener::bind(address).await.unwrap();
    let there = Arc::new(AtomicUsize::new(0));
    let mut lines = tokio::task::JoinSet::new();
    while there.load(Ordering::Relaxed) < AGENTS {
        let accepted = tokio::time::timeout(LOOK, listener.accept()).await;
        if let Ok(Ok((stream, _))) = accepted {
            lines.spawn(welcome(stream, Arc::clone(&there)));
        }
    }
    began.elapsed().as_secs_f64()
}

/// Lets an agent in, and keeps its connection.
async fn welcome(stream: TcpStream, there: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    let mut hello = String::new();
    if stream.read_line(&mut hello).await.is_ok() && stream.write_all(b"OK\n").await.is_ok() {
        there.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
}
