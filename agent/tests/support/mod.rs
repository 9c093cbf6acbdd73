//! The samples, and rows as short lines.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use agent::parse::status::{Report, parse_report};
use proto::{Health, NodeRole, ShardRole};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

/// Names of all sample files.
pub fn sample_names() -> BTreeSet<String> {
    let entries = fs::read_dir(directory()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A sample's text.
pub fn read(name: &str) -> String {
    fs::read_to_string(directory().join(name)).unwrap()
}

fn word(health: &Health) -> String {
    match health {
        Health::NotOk(text) => format!("bad: {text}"),
        other => other.to_string(),
    }
}

/// Rows of the nodes table.
pub fn nodes(text: &str) -> Vec<String> {
    let report = parse_report(text).unwrap();
    let number = |number: Option<u32>| number.map_or("?".to_owned(), |number| number.to_string());
    let row = |row: &proto::NodeRow| {
        let star = if report.local == Some(row.uid) { "*" } else { "" };
        let role = match row.role {
            Some(NodeRole::Master) => "master",
            Some(NodeRole::Replica) => "slave",
            None => "?",
        };
        let version = row.version.map_or("?".to_owned(), |version| version.to_string());
        let (shards, max) = (number(row.shards), number(row.max_shards));
        let (address, hostname) = (&row.address, &row.hostname);
        format!(
            "{star}{} {role} {address} {hostname} {shards}/{max} {version} {}",
            row.uid.0,
            word(&row.status)
        )
    };
    report.nodes.as_ref().unwrap().iter().map(row).collect()
}

/// Rows of the databases table.
pub fn databases(text: &str) -> Vec<String> {
    let rows = parse_report(text).unwrap().databases().unwrap();
    let row = |row: proto::DatabaseRow| {
        let kind = row.replicated.map_or("?", |replicated| if replicated { "replicated" } else { "single" });
        format!("{} {} {} {kind} {}", row.uid, row.name, word(&row.status), row.endpoints.join(" "))
    };
    rows.into_iter().map(row).collect()
}

/// Rows of the endpoints table.
pub fn endpoints(text: &str) -> Vec<String> {
    let rows = parse_report(text).unwrap().endpoints.unwrap();
    rows.iter()
        .map(|row| format!("{} db:{} {} {}", row.id, row.database, row.node, word(&row.watchdog)))
        .collect()
}

/// Rows of the shards table.
pub fn shards(text: &str) -> Vec<String> {
    let rows = parse_report(text).unwrap().shards.unwrap();
    let row = |row: &proto::ShardRow| {
        let role = match row.role {
            Some(ShardRole::Primary) => "primary",
            Some(ShardRole::Replica) => "replica",
            None => "?",
        };
        format!("{} db:{} {} {role} {} {}", row.id, row.database, row.node, row.slots, word(&row.status))
    };
    rows.iter().map(row).collect()
}

/// Everything a report calls good, by name.
pub fn good(report: &Report) -> BTreeSet<String> {
    let mut good = BTreeSet::new();
    let mut note = |name: String, healths: &[&Health]| {
        if healths.iter().all(|health| health.is_ok()) {
            good.insert(name);
        }
    };
    if let Some((health, _)) = &report.cluster {
        note("cluster".to_owned(), &[health]);
    }
    report.nodes.iter().flatten().for_each(|row| note(row.uid.to_string(), &[&row.status]));
    report.databases().iter().flatten().for_each(|row| note(format!("db:{}", row.uid), &[&row.status]));
    report
        .endpoints
        .iter()
        .flatten()
        .for_each(|row| note(format!("{} {}", row.id, row.node), &[&row.watchdog]));
    report.shards.iter().flatten().for_each(|row| note(row.id.clone(), &[&row.status]));
    good
}
