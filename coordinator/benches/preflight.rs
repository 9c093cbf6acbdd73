//! The coordinator's own work for a preflight: 35 nodes, 500 databases, everything known. Nothing is waited for.
//!
//! The peer, measured in the same run, is what any coordinator must do with the same answers: decoding the agents' messages.

#![allow(clippy::unwrap_used, reason = "what cannot be set up ends the benchmark")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use coordinator::advisories::Advisories;
use coordinator::catalogue::{CatalogueEntry, Origin, VendorVerdict};
use coordinator::paths::Table;
use coordinator::plan::{Planned, Wanted, make_plan};
use coordinator::snapshot::{AgentReport, Snapshot};
use jiff::Timestamp;
use proto::{
    Arch, Fact, FactValue, NodeFacts, NodeUid, OsToken, Package, Probe, Row, Sha256, SourceFacts, Version,
};

const NODES: u32 = 35;
const DATABASES: u32 = 500;
/// How often each is measured; the middle one counts.
const ROUNDS: usize = 15;
const TARGET: Version = Version::new(7, 4, 6, 22);
const URL: &str = "https://mirror.example/redislabs-7.4.6-22-jammy-amd64.tar";

fn main() {
    let snapshot = snapshot();
    let messages: Vec<Vec<u8>> = snapshot.answered().map(|(_, facts)| encoded(facts)).collect();
    let (table, advisories) = (Table::vendor().unwrap(), Advisories::vendor().unwrap());
    let catalogue = [package()];
    let planning = middle(|| {
        let planned = make_plan(&Wanted {
            snapshot: &snapshot,
            target: TARGET,
            catalogue: &catalogue,
            signed: None,
            table: &table,
            advisories: &advisories,
            settings: &[],
            accepted: &[],
            hooks: &[],
            now: snapshot.at,
        });
        match black_box(planned) {
            Planned::Plan(_) => {}
            other => panic!("there is no plan to measure: {other:#?}"),
        }
    });
    let decoding = middle(|| messages.iter().for_each(|message| drop(black_box(decoded(message)))));
    let bytes: usize = messages.iter().map(Vec::len).sum();
    println!("preflight of {NODES} nodes and {DATABASES} databases, middle of {ROUNDS} rounds:");
    println!("  all checks, all advisories, the path and the plan   {:>8.1} ms", ms(planning));
    println!(
        "  peer: decoding the agents' answers ({:>5.1} MB)        {:>8.1} ms",
        bytes as f64 / 1e6,
        ms(decoding)
    );
    println!("  ratio                                               {:>8.2}", ms(planning) / ms(decoding));
}

fn middle(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn encoded(facts: &NodeFacts) -> Vec<u8> {
    prost::Message::encode_to_vec(&proto::pb::NodeFacts::from(facts))
}

fn decoded(message: &[u8]) -> NodeFacts {
    let wire: proto::pb::NodeFacts = prost::Message::decode(message).unwrap();
    wire.try_into().unwrap()
}

fn snapshot() -> Snapshot {
    let at: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let report = |uid: u32| AgentReport {
        address: format!("192.0.2.{uid}:7443"),
        received_at: at,
        answer: Ok(facts(NodeUid(uid), at)),
    };
    Snapshot { at, cluster: "large".parse().unwrap(), agents: (1..=NODES).map(report).collect() }
}

fn facts(uid: NodeUid, at: Timestamp) -> NodeFacts {
    let mut facts = proto::sample::healthy_facts(uid, NODES, at);
    facts.sources = vec![SourceFacts { url: URL.to_owned(), size: Probe::Known(Some(1 << 30)) }];
    let Probe::Known(view) = &mut facts.view else { unreachable!("a healthy node sees its cluster") };
    let (database, shards, endpoint) =
        (view.databases[0].clone(), view.shards.clone(), view.endpoints[0].clone());
    for uid in 2..=DATABASES {
        let name = format!("db{uid}");
        view.databases.push(proto::DatabaseRow { uid, name, ..database.clone() });
        view.endpoints.push(proto::EndpointRow {
            id: format!("endpoint:{uid}:1"),
            database: uid,
            ..endpoint.clone()
        });
        let of_database = |shard: &proto::ShardRow| proto::ShardRow {
            id: format!("{}{uid}", shard.id),
            database: uid,
            ..shard.clone()
        };
        view.shards.extend(shards.iter().map(of_database));
    }
    for fact in [Fact::Databases, Fact::DatabaseInfo] {
        many(facts.details.0.get_mut(&fact).unwrap());
    }
    facts
}

/// A row for every database, each with forty more keys.
fn many(probe: &mut Probe<FactValue>) {
    let Probe::Known(FactValue::Rows(rows)) = probe else {
        unreachable!("all facts of the sample are known")
    };
    let first = rows[0].clone();
    rows.clear();
    for uid in 1..=DATABASES {
        let mut row: Row = (0..40).map(|key| (format!("setting_{key}"), format!("value {key}"))).collect();
        row.extend(first.clone());
        row.insert("uid".to_owned(), uid.to_string());
        row.insert("name".to_owned(), format!("db{uid}"));
        rows.push(row);
    }
}

fn package() -> CatalogueEntry {
    let package = Package {
        sha256: Sha256::of(b"package"),
        version: TARGET,
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        size: Some(1 << 30),
        sources: vec![URL.to_owned()],
    };
    let verdict = VendorVerdict::Matches { source: "release notes".to_owned() };
    CatalogueEntry { package, added_at: None, added_by: None, verdict, origin: Origin::Store }
}
