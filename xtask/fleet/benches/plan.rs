//! The plan of a rollout over 2,000 clusters: its file read, its clusters selected, its calendar, its first decision.
//! Nothing is waited for. Then the same as a person has it: `ratchet rollout check` of a real coordinator with real agents.
//!
//! The peers, measured in the same run, are what every command has to do first: reading the configuration of that fleet,
//! and asking the coordinator something that needs no plan.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the benchmark")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use coordinator::config::Config;
use coordinator::rollout::{
    Event, FleetCluster, Measured, Partners, Record, Seen, Spec, decide, forecast, parse_rollout, replay,
    select,
};
use fleet::configuration::{Listed, Place, ratchet_toml};
use fleet::figures::Figures;
use fleet::process::{FleetProcess, Served, free_address};
use fleet::{Fleet, FleetSpec};
use jiff::Timestamp;
use proto::{ClusterName, Epoch};

const CLUSTERS: u32 = 2000;
const NODES: u32 = 5;
/// How often each is measured; the middle one counts.
const ROUNDS: usize = 9;
/// What was promised, in milliseconds.
const LIMIT: f64 = 1000.0;

const FILE: &str = "name = \"q4\"\ntarget = \"7.22.0-95\"\nat_once = 40\nfailure_budget = 10\n\
    [windows]\nzone = \"Europe/Berlin\"\nblackout = [{ from = \"2026-12-20\", until = \"2027-01-06\" }]\n\
    [[windows.open]]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\"]\nfrom = \"22:00\"\nuntil = \"04:00\"\n\
    [[wave]]\nname = \"canary\"\nclusters = [\"c0000\"]\nsoak = \"30m\"\n\
    [[wave]]\nname = \"test\"\nlabels = { env = \"test\" }\nat_once = 10\nsoak = \"1h\"\n\
    [[wave]]\nname = \"eu\"\nlabels = { region = \"eu\" }\nat_once = 30\nsoak = \"1h\"\n\
    [[wave]]\nname = \"rest\"\nclusters = [\"c*\"]\nat_once = 40\n";

#[tokio::main]
async fn main() {
    let partners = (0..CLUSTERS / 10).map(|pair| (pair * 10 + 3, pair * 10 + 7)).collect();
    let listed = Fleet::made(&FleetSpec { partners, ..FleetSpec::new(CLUSTERS, NODES) }).listed();
    let fleet: Vec<FleetCluster> = listed
        .iter()
        .map(|cluster| FleetCluster { name: cluster.name.clone(), labels: cluster.labels.clone() })
        .collect();
    let store = "sqlite:///var/lib/ratchet/ratchet.db".to_owned();
    // Written as for agents that are dialled: every configuration reads that.
    let addressed: Vec<_> = listed
        .into_iter()
        .map(|mut cluster| {
            cluster.agents = (1..=NODES).map(|node| format!("n{node}.{}:7443", cluster.name)).collect();
            cluster
        })
        .collect();
    let text =
        ratchet_toml(&Place { store, listen: None, packages: Vec::new(), more: String::new() }, &addressed);
    let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
    let planning = middle(|| plan(&fleet, now));
    let reading = middle(|| drop(black_box(Config::parse(&text, Path::new("ratchet.toml")).unwrap())));
    let mut figures =
        Figures::of("plan", format!("{CLUSTERS} clusters of {NODES} nodes, 200 pairs of partners"));
    figures.add("file, selection, calendar, first decision", planning, "ms").beside(reading).at_most(LIMIT);
    by_command(&mut figures).await;
    figures.tell().unwrap();
}

/// What a person waits for, of a coordinator that has all agents to ask.
async fn by_command(figures: &mut Figures) {
    let program = sim::built_binary("fleet", "ratchet-fleet").unwrap();
    let args = ["--clusters".to_owned(), CLUSTERS.to_string(), "--nodes".to_owned(), NODES.to_string()];
    let agents = FleetProcess::start(&program, &args).unwrap();
    let place = tempfile::tempdir().unwrap();
    let (file, log) = (place.path().join("rollout.toml"), place.path().join("serve.log"));
    std::fs::write(&file, FILE).unwrap();
    let config = place.path().join("ratchet.toml");
    let address = free_address().unwrap();
    std::fs::write(&config, configured(place.path(), address, &agents.clusters)).unwrap();
    let ratchet = sim::built_binary("coordinator", "ratchet").unwrap();
    let _served = Served::start(&ratchet, &config, &log, address).await.unwrap();
    let asked = |words: &[&str]| {
        let mut command = Command::new(&ratchet);
        command.arg("--config").arg(&config).arg("--coordinator").arg(address.to_string());
        let output = command.args(["-o", "json", "rollout"]).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let check = ["check", file.to_str().unwrap()];
    // Who was not seen yet is looked at first.
    let began = Instant::now();
    asked(&check);
    figures.add("`rollout check`, of agents never seen before", began.elapsed().as_secs_f64() * 1e3, "ms");
    let listing = middle(|| asked(&["list"]));
    let checking = middle(|| asked(&check));
    figures.add("`rollout check`, of agents seen before", checking, "ms").beside(listing).at_most(LIMIT);
}

fn configured(place: &Path, address: SocketAddr, clusters: &[Listed]) -> String {
    let store = format!("sqlite://{}", place.join("ratchet.db").display());
    let packages = vec!["7.22.0-95".parse().unwrap()];
    ratchet_toml(&Place { store, listen: Some(address), packages, more: String::new() }, clusters)
}

fn middle(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn plan(fleet: &[FleetCluster], now: Timestamp) {
    let spec: Spec = parse_rollout(FILE, Path::new("rollout.toml")).unwrap();
    let selection = select(&spec, fleet);
    let nodes: BTreeMap<ClusterName, usize> =
        fleet.iter().map(|cluster| (cluster.name.clone(), NODES as usize)).collect();
    let partners = partners(fleet);
    let calendar = forecast(&spec, &selection, &nodes, &Measured::default(), &partners, now);
    assert!(!calendar.is_empty());
    black_box(calendar);
    let (name, waves) = (spec.name.clone(), selection.waves);
    let event = Event::Applied { spec: Box::new(spec), waves, by: "the benchmark".to_owned() };
    let rollout = replay(&name, &[Record { seq: 1, epoch: Epoch(1), at: now, event }]).unwrap();
    let seen = Seen { partners, ..Seen::default() };
    black_box(decide(&rollout, &seen, |cluster| format!("{cluster}-1").parse().unwrap(), now));
}

/// Every third of ten with every seventh of the same ten.
fn partners(fleet: &[FleetCluster]) -> Partners {
    let pair = |ten: &[FleetCluster]| (ten[3].name.clone(), ten[7].name.clone());
    let pairs = fleet.chunks_exact(10).map(pair);
    Partners {
        pairs: pairs.flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)]).collect(),
        ..Partners::default()
    }
}
