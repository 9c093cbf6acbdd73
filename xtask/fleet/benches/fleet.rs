//! 10,000 simulated agents of 2,000 clusters that are dialled, and a real coordinator that is served: how long it takes to
//! look at all of them, and what that costs; plain, and with mutual TLS.
//!
//! The peer, measured in the same run, asks the same agents the same and does nothing with the answers.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the benchmark")]

use std::path::Path;
use std::time::{Duration, Instant};

use fleet::certificates::Certificates;
use fleet::configuration::{Listed, Place, ratchet_toml};
use fleet::figures::Figures;
use fleet::process::{FleetProcess, Served, Usage, free_address, usage};
use futures::StreamExt;
use proto::transport::{Security, Timeouts, agent_client, dial};
use proto::wire::Observe;
use proto::{Role, pb};
use serde_json::Value;

const CLUSTERS: u32 = 2000;
const NODES: u32 = 5;
/// Processes that the agents are in.
const PROCESSES: u32 = 2;
/// Sweeps after the first one; the middle one counts.
const SWEEPS: usize = 3;
/// Requests that the peer has under way.
const AT_ONCE: usize = 512;
/// What a coordinator may need, in MiB.
const MEMORY: f64 = 512.0;
/// Between two questions whether all were seen.
const LOOK: Duration = Duration::from_millis(250);
/// The most that is waited.
const PATIENCE: Duration = Duration::from_secs(300);
/// After so long the inventory looks at quiet clusters once a minute; until then, more often.
const SETTLED: Duration = Duration::from_secs(80);
/// How long the coordinator is watched while nobody asks it anything.
const REST: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let setting = format!("{} agents in {PROCESSES} processes, {CLUSTERS} clusters", CLUSTERS * NODES);
    let mut figures = Figures::of("fleet", setting);
    measure(false, &mut figures).await;
    measure(true, &mut figures).await;
    figures.tell().unwrap();
}

/// What the peer needs.
#[derive(Clone, Copy)]
struct Times {
    /// For the first sweep, in seconds.
    first: f64,
    /// For one over connections that stand.
    usual: f64,
    /// Memory that the connections need, in MiB.
    memory: f64,
}

async fn measure(tls: bool, figures: &mut Figures) {
    let place = tempfile::tempdir().unwrap();
    let address = free_address().unwrap();
    let tls = tls.then(|| Certificates::write(place.path(), address.ip()).unwrap());
    let fleets: Vec<FleetProcess> =
        (0..PROCESSES).map(|process| part(process, tls.is_some().then_some(place.path()))).collect();
    let clusters: Vec<Listed> = fleets.iter().flat_map(|fleet| fleet.clusters.clone()).collect();
    let security = tls.map_or(Security::InsecureLoopback, Security::Tls);
    let how = if matches!(security, Security::Tls(_)) { "mutual TLS" } else { "plain" };
    let more = match &security {
        Security::Tls(tls) => {
            format!("[tls]\nca = {:?}\ncert = {:?}\nkey = {:?}\n", tls.ca, tls.cert, tls.key)
        }
        Security::InsecureLoopback => String::new(),
    };
    let store = format!("sqlite://{}", place.path().join("ratchet.db").display());
    let configured = Place { store, listen: Some(address), packages: Vec::new(), more };
    let config = place.path().join("ratchet.toml");
    let text = ratchet_toml(&configured, &clusters);
    std::fs::write(&config, &text).unwrap();
    // Whoever asks is an operator.
    let asking = place.path().join("operator.toml");
    std::fs::write(&asking, text.replace("/coordinator", "/operator")).unwrap();
    let peer = bare_sweeps(&clusters, &security).await;
    let ratchet = sim::built_binary("coordinator", "ratchet").unwrap();
    let began = Instant::now();
    let served = Served::start(&ratchet, &config, &place.path().join("serve.log"), address).await.unwrap();
    let empty = usage(served.pid()).unwrap();
    until_all_are_seen(&served, &asking);
    figures
        .add(format!("{how}: first look at all, in the background"), began.elapsed().as_secs_f64(), "s")
        .beside(peer.first);
    let seen = usage(served.pid()).unwrap();
    figures.add(format!("{how}: coordinator: CPU for it"), seen.cpu_s, "s");
    tokio::time::sleep(SETTLED.saturating_sub(began.elapsed())).await;
    let settled = usage(served.pid()).unwrap();
    tokio::time::sleep(REST).await;
    let rested = usage(served.pid()).unwrap();
    figures.add(
        format!("{how}: coordinator: CPU in a minute, nobody asks"),
        rested.cpu_s - settled.cpu_s,
        "s",
    );
    let mut sweeps: Vec<f64> = (0..SWEEPS).map(|_| sweep(&served, &asking)).collect();
    sweeps.sort_by(f64::total_cmp);
    figures.add(format!("{how}: `ratchet status` of all"), sweeps[SWEEPS / 2], "s").beside(peer.usual);
    let swept = usage(served.pid()).unwrap();
    let cpu = (swept.cpu_s - rested.cpu_s) / SWEEPS as f64;
    figures.add(format!("{how}: coordinator: CPU for one"), cpu, "s");
    used(how, &empty, &swept, peer, figures);
    for (number, fleet) in fleets.iter().enumerate() {
        let used = usage(fleet.pid()).unwrap();
        figures.add(format!("{how}: agents, process {number}: peak memory"), used.peak_mib, "MiB");
    }
}

fn part(process: u32, certificates: Option<&Path>) -> FleetProcess {
    let program = sim::built_binary("fleet", "ratchet-fleet").unwrap();
    let part = CLUSTERS / PROCESSES;
    let args = [("--clusters", part), ("--nodes", NODES), ("--first", process * part)];
    let mut args = args.map(|(key, number)| [key.to_owned(), number.to_string()]).concat();
    if let Some(directory) = certificates {
        args.extend(["--tls".to_owned(), directory.display().to_string()]);
    }
    FleetProcess::start(&program, &args).unwrap()
}

fn used(how: &str, empty: &Usage, swept: &Usage, peer: Times, figures: &mut Figures) {
    figures.add(format!("{how}: coordinator: memory at its start"), empty.rss_mib, "MiB");
    figures.add(format!("{how}: coordinator: peak memory"), swept.peak_mib, "MiB").at_most(MEMORY);
    let came = swept.rss_mib - empty.rss_mib;
    figures
        .add(format!("{how}: coordinator: memory that came with the agents"), came, "MiB")
        .beside(peer.memory);
    figures.add(format!("{how}: coordinator: descriptors"), swept.descriptors as f64, "");
}

/// Every cluster of the inventory was seen, with all its nodes.
#[allow(
    clippy::disallowed_methods,
    reason = "a bench that asks another process again after a while; nothing waits on it"
)]
fn until_all_are_seen(served: &Served, config: &Path) {
    let began = Instant::now();
    loop {
        let inventory = served.ask(config, "inventory").unwrap();
        let rows = inventory["clusters"].as_array().unwrap();
        assert_eq!(rows.len(), CLUSTERS as usize);
        let unseen = rows.iter().find(|row| row["seen_at"].is_null() || row["healthy"] != true);
        let Some(unseen) = unseen else { return };
        assert!(began.elapsed() < PATIENCE, "{unseen:#?}");
        std::thread::sleep(LOOK);
    }
}

/// `ratchet status` of everything; all agents must have answered.
fn sweep(served: &Served, config: &Path) -> f64 {
    let began = Instant::now();
    let status = served.ask(config, "status").unwrap();
    let took = began.elapsed().as_secs_f64();
    let clusters = status["clusters"].as_array().unwrap();
    assert_eq!(clusters.len(), CLUSTERS as usize);
    let unwell: Option<&Value> = clusters.iter().find(|cluster| cluster["healthy"] != true);
    assert!(unwell.is_none(), "{unwell:#?}");
    took
}

async fn bare_sweeps(clusters: &[Listed], security: &Security) -> Times {
    let before = usage(std::process::id()).unwrap().rss_mib;
    let channels: Vec<_> = clusters
        .iter()
        .flat_map(|cluster| &cluster.agents)
        .map(|agent| dial(agent, Role::Agent, security, Timeouts::default()).unwrap())
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
