//! A coordinator that 10,000 agents connect to is killed and comes back: how long until all of them are back, and what
//! that costs; plain, and with mutual TLS.
//!
//! The peer, measured in the same run, is a listener that answers each agent's first line and does nothing more.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the benchmark")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fleet::certificates::Certificates;
use fleet::configuration::{Listed, Place, ratchet_toml};
use fleet::figures::Figures;
use fleet::process::{FleetProcess, Served, free_address, usage};
use proto::transport::Tls;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const CLUSTERS: u32 = 2000;
const NODES: u32 = 5;
/// Processes that the agents are in.
const PROCESSES: u32 = 2;
const AGENTS: usize = (CLUSTERS * NODES) as usize;
/// Between two looks at how many are back.
const LOOK: Duration = Duration::from_millis(20);
/// Between two looks at the inventory.
const ASK: Duration = Duration::from_millis(500);
/// The most that is waited.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a coordinator may need, in MiB.
const MEMORY: f64 = 512.0;

#[tokio::main]
async fn main() {
    let setting = format!("{AGENTS} agents that connect by themselves, in {PROCESSES} processes");
    let mut figures = Figures::of("storm", setting);
    measure(false, &mut figures).await;
    measure(true, &mut figures).await;
    figures.tell().unwrap();
}

async fn measure(tls: bool, figures: &mut Figures) {
    let place = tempfile::tempdir().unwrap();
    let address = free_address().unwrap();
    let tls = tls.then(|| Certificates::write(place.path(), address.ip()).unwrap());
    let certificates = tls.is_some().then_some(place.path());
    let how = if tls.is_some() { "mutual TLS" } else { "plain" };
    let (first, again) = bare(address, certificates).await;
    let fleets = fleets(address, certificates);
    let clusters: Vec<Listed> = fleets.iter().flat_map(|fleet| fleet.clusters.clone()).collect();
    let more = tls.map_or_else(String::new, |Tls { ca, cert, key, .. }| {
        // All of them come from one address.
        let limits = format!("[limits]\nconnections_per_address = {}\n", 2 * AGENTS);
        format!("[tls]\nca = {ca:?}\ncert = {cert:?}\nkey = {key:?}\n{limits}")
    });
    let store = format!("sqlite://{}", place.path().join("ratchet.db").display());
    let configured = Place { store, listen: Some(address), packages: Vec::new(), more };
    let text = ratchet_toml(&configured, &clusters);
    std::fs::write(place.path().join("ratchet.toml"), &text).unwrap();
    // Whoever asks is an operator.
    std::fs::write(place.path().join("operator.toml"), text.replace("/coordinator", "/operator")).unwrap();
    let began = Instant::now();
    let mut served = serve(place.path(), address).await;
    until_all_are_there(&served).await;
    figures.add(format!("{how}: all have connected"), began.elapsed().as_secs_f64(), "s").beside(first);
    served.kill().unwrap();
    let began = Instant::now();
    let served = serve(place.path(), address).await;
    until_all_are_there(&served).await;
    figures
        .add(format!("{how}: all are back after a kill"), began.elapsed().as_secs_f64(), "s")
        .beside(again);
    figures.add(format!("{how}: coordinator: CPU for it"), usage(served.pid()).unwrap().cpu_s, "s");
    until_all_were_asked(&served, &place.path().join("operator.toml")).await;
    figures.add(format!("{how}: all were seen by the inventory"), began.elapsed().as_secs_f64(), "s");
    let used = usage(served.pid()).unwrap();
    figures.add(format!("{how}: coordinator: CPU for that, too"), used.cpu_s, "s");
    figures.add(format!("{how}: coordinator: peak memory"), used.peak_mib, "MiB").at_most(MEMORY);
}

fn fleets(address: SocketAddr, certificates: Option<&Path>) -> Vec<FleetProcess> {
    let program = sim::built_binary("fleet", "ratchet-fleet").unwrap();
    let part = CLUSTERS / PROCESSES;
    let start = |process: u32| {
        let args = [("--clusters", part), ("--nodes", NODES), ("--first", process * part)];
        let mut args = args.map(|(key, number)| [key.to_owned(), number.to_string()]).concat();
        args.extend(["--connect".to_owned(), address.to_string()]);
        if let Some(directory) = certificates {
            args.extend(["--tls".to_owned(), directory.display().to_string()]);
        }
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

/// Each has answered over the connection that it made.
async fn until_all_were_asked(served: &Served, config: &Path) {
    let began = Instant::now();
    loop {
        let inventory = served.ask(config, "inventory").unwrap();
        let unseen = inventory["clusters"].as_array().unwrap().iter().find(|row| row["healthy"] != true);
        let Some(unseen) = unseen else { return };
        assert!(began.elapsed() < PATIENCE, "{unseen:#?}");
        tokio::time::sleep(ASK).await;
    }
}

/// The same agents and a listener that does nothing: how long the first time, and after all were dropped.
async fn bare(address: SocketAddr, certificates: Option<&Path>) -> (f64, f64) {
    let _fleets = fleets(address, certificates);
    let certificates = certificates.map(|place| Certificates::read(place).unwrap());
    let acceptor = certificates.map(|certificates| certificates.acceptor(address.ip()).unwrap());
    let first = all_of_them(address, acceptor.as_ref()).await;
    (first, all_of_them(address, acceptor.as_ref()).await)
}

async fn all_of_them(address: SocketAddr, acceptor: Option<&TlsAcceptor>) -> f64 {
    let began = Instant::now();
    let listener = TcpListener::bind(address).await.unwrap();
    let there = Arc::new(AtomicUsize::new(0));
    let mut lines = tokio::task::JoinSet::new();
    while there.load(Ordering::Relaxed) < AGENTS {
        let accepted = tokio::time::timeout(LOOK, listener.accept()).await;
        let Ok(Ok((stream, _))) = accepted else { continue };
        let (there, acceptor) = (Arc::clone(&there), acceptor.cloned());
        lines.spawn(async move {
            match acceptor {
                None => welcome(stream, there).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        welcome(stream, there).await;
                    }
                }
            }
        });
    }
    began.elapsed().as_secs_f64()
}

/// Lets an agent in, and keeps its connection.
async fn welcome(stream: impl AsyncRead + AsyncWrite + Unpin, there: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    let mut hello = String::new();
    let read = stream.read_line(&mut hello).await.is_ok();
    if read && stream.write_all(b"OK\n").await.is_ok() && stream.flush().await.is_ok() {
        there.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
}
