//! `rladmin status`, with all its tables.

use agent::parse::{status, strip_ansi};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "CLUSTER:", "CLUSTER NODES:", "DATABASES:", "ENDPOINTS:", "SHARDS:", "OK. Cluster master: 1 (10.0.0.1)", "Cluster health: OK",
    "NODE:ID", "ROLE", "ADDRESS", "EXTERNAL_ADDRESS", "EXTERNAL ADDRESS", "HOSTNAME", "MASTERS", "SLAVES", "OVERBOOKING_DEPTH",
    "SHARDS", "CORES", "FREE_RAM", "PROVISIONAL_RAM", "VERSION", "SHA", "RACK-ID", "STATUS", "DB:ID", "NAME", "TYPE", "PLACEMENT",
    "REPLICATION", "PERSISTENCE", "ENDPOINT", "EXEC_STATE", "EXEC_STATE_MACHINE", "BACKUP_PROGRESS", "MISSING_BACKUP_TIME",
    "REDIS_VERSION", "CRDB", "MODULE", "NODE", "SSL", "WATCHDOG_STATUS", "ID", "SLOTS", "USED_MEMORY", "node:1", "*node:2",
    "db:1", "endpoint:1:1", "redis:1", "master", "slave", "active", "pending", "0-16383", "1/100", "  ", "OK, OLD REDIS VERSION",
    "7.4.2-54", "N/A", "\u{1b}[32m", "\u{1b}[0m", "-",
];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = seeds::samples(&["rladmin-status"]);
    seeds.push(seeds::file("agent/tests/data/status-three-nodes.txt"));
    seeds.push(seeds::file("agent/tests/data/status-troubled.txt"));
    seeds
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let clean = strip_ansi(&text);
    assert!(clean.len() <= text.len());
    let (view, report) = (status::parse(&text), status::parse_report(&text));
    expect::in_proportion(&report, text.len(), 64);
    let Ok(view) = view else { return };
    let lines = text.lines().count();
    let rows = view.nodes.len() + view.databases.len() + view.endpoints.len() + view.shards.len();
    assert!(rows <= lines, "{rows} rows out of {lines} lines");
    assert!(report.is_ok(), "what is a whole view is a report, too");
    assert!(view.nodes.iter().any(|node| node.uid == view.local), "whose view is it?");
    if view.problems().is_empty() {
        // Good news is said, never guessed.
        assert!(clean.contains("OK") && view.nodes.iter().all(|node| node.status == proto::Health::Ok));
    }
}
