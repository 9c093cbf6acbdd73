//! `rladmin status`: sections, columns and their differences between versions (fact sheet §3.2–3.6).

use jiff::Timestamp;
use proto::{Release, Version};

use super::table::Table;
use crate::facts;
use crate::model::{Database, Model, Node, Role, Shard, ShardState};

/// What to print.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    /// `extra all`.
    pub extra: bool,
    /// `issues_only`.
    pub issues_only: bool,
    /// The node the tool runs on, shown with `*`.
    pub local: u32,
    /// The version of the tool.
    pub version: Option<Version>,
    /// Only rows of this node.
    pub only_node: Option<u32>,
    /// Only rows of this database.
    pub only_db: Option<u32>,
}

impl View {
    fn since(&self, major: u32, minor: u32, patch: u32) -> bool {
        self.version.is_some_and(|version| version.release >= Release::new(major, minor, patch))
    }

    /// STATUS and WATCHDOG_STATUS show each other's values (RS146525, until 7.8.4-95; taken to begin with 7.8.2).
    fn swaps_status(&self) -> bool {
        self.extra
            && self.since(7, 8, 2)
            && self.version.is_some_and(|version| version < Version::new(7, 8, 4, 95))
    }

    fn wants(&self, node: u32, db: u32) -> bool {
        self.only_node.is_none_or(|only| only == node) && self.only_db.is_none_or(|only| only == db)
    }
}

/// A cell's text is healthy when its first comma-separated word is (fact sheet §3.5).
fn is_issue(status: &str) -> bool {
    !matches!(status.split(',').next(), Some("OK" | "active"))
}

pub(super) fn cluster(model: &Model, now: Timestamp) -> String {
    let failures = model.nodes.keys().filter(|uid| model.is_detected_down(**uid, now)).count();
    let node = |uid: u32| model.nodes.get(&uid);
    let (state, master) = match model.master.and_then(|uid| Some((uid, node(uid)?))) {
        Some((uid, node)) => ("OK", format!("OK. Cluster master: {uid} ({})", node.address)),
        None => ("ERROR", "ERROR. Cluster master: unknown, no quorum".to_owned()),
    };
    let rate = if failures == 0 { "0, 0.0, 0.0".to_owned() } else { format!("{failures}, 0.2, 0.05") };
    let averages = if failures == 0 { [0.0; 3] } else { [failures as f64, 0.2, 0.05] };
    format!(
        "CLUSTER:\n{master}\nCluster health: {state}, [{rate}]\nfailures/minute - avg1 {:.2}, avg15 {:.2}, avg60 {:.2}.\n",
        averages[0], averages[1], averages[2]
    )
}

pub(super) fn nodes(model: &Model, view: &View, now: Timestamp) -> Table {
    let (ram, provisional) =
        if view.since(5, 4, 10) { ("FREE_RAM", "PROVISIONAL_RAM") } else { ("RAM", "AVAILABLE_RAM") };
    let mut columns = vec!["NODE:ID", "ROLE", "ADDRESS", "EXTERNAL_ADDRESS", "HOSTNAME"];
    if view.extra {
        columns.extend(["MASTERS", "SLAVES", "OVERBOOKING_DEPTH"]);
    }
    columns.extend(["SHARDS", "CORES", ram, provisional, "VERSION"]);
    if view.extra {
        columns.extend(["SHA", "RACK-ID"]);
    }
    columns.push("STATUS");
    let mut table = Table::new("CLUSTER NODES:", &columns);
    for node in model.nodes.values() {
        let status = node_status(model, node, now);
        if view.issues_only && !is_issue(&status) {
            continue;
        }
        let mut cells = node_cells(model, view, node);
        let down = is_issue(&status);
        cells.push((ram, if down { "-/19.54GB" } else { "14.91GB/19.54GB" }.to_owned()));
        cells.push((provisional, provisional_ram(node, down).to_owned()));
        cells.push(("STATUS", status));
        table.row(&cells);
    }
    table
}

fn node_cells(model: &Model, view: &View, node: &Node) -> Vec<(&'static str, String)> {
    let star = if node.uid == view.local { "*" } else { "" };
    let role = if model.master == Some(node.uid) { "master" } else { "slave" };
    let here =
        |role| model.shards.values().filter(|shard| shard.node == node.uid && shard.role == role).count();
    let (primaries, replicas) = (here(Role::Primary), here(Role::Replica));
    let most = if node.is_quorum_only() { 0 } else { 100 };
    vec![
        ("NODE:ID", format!("{star}node:{}", node.uid)),
        ("ROLE", role.to_owned()),
        ("ADDRESS", node.address.clone()),
        ("HOSTNAME", node.hostname.clone()),
        ("MASTERS", primaries.to_string()),
        ("SLAVES", replicas.to_string()),
        ("OVERBOOKING_DEPTH", if node.is_quorum_only() { "0KB" } else { "10.91GB" }.to_owned()),
        ("SHARDS", format!("{}/{most}", primaries + replicas)),
        ("CORES", "6".to_owned()),
        ("VERSION", node.version.to_string()),
        ("SHA", sha(node.version)),
        ("RACK-ID", "-".to_owned()),
    ]
}

/// Six hexadecimal digits that differ between builds, as the product's own do.
fn sha(version: Version) -> String {
    let release = version.release;
    let mixed = [release.major, release.minor, release.patch, version.build]
        .iter()
        .fold(0x5c_21_06_u32, |sum, part| sum.wrapping_mul(31).wrapping_add(*part));
    format!("{:06x}", mixed & 0xff_ff_ff)
}

fn provisional_ram(node: &Node, down: bool) -> &'static str {
    match (down, node.is_quorum_only()) {
        (true, _) => "-/16.02GB",
        (false, true) => "0KB/0KB",
        (false, false) => "10.91GB/16.02GB",
    }
}

fn node_status(model: &Model, node: &Node, now: Timestamp) -> String {
    match model.down_for(node.uid, now) {
        Some(millis) if model.is_detected_down(node.uid, now) => {
            format!("DOWN, last seen {}s ago", millis / 1000)
        }
        _ => "OK".to_owned(),
    }
}

pub(super) fn databases(model: &Model, view: &View) -> Table {
    let mut columns = vec!["DB:ID", "NAME", "TYPE"];
    if !view.since(6, 0, 0) {
        columns.push("MODULE");
    }
    columns.extend(["STATUS", "SHARDS", "PLACEMENT", "REPLICATION", "PERSISTENCE", "ENDPOINT"]);
    if view.extra {
        columns.extend([
            "EXEC_STATE",
            "EXEC_STATE_MACHINE",
            "BACKUP_PROGRESS",
            "MISSING_BACKUP_TIME",
            "REDIS_VERSION",
        ]);
    }
    let mut table = Table::new("DATABASES:", &columns);
    for db in model.databases.values().filter(|db| view.only_db.is_none_or(|only| only == db.id)) {
        if !view.issues_only {
            table.row(&database_cells(model, db));
        }
    }
    table
}

fn database_cells(model: &Model, db: &Database) -> Vec<(&'static str, String)> {
    let not_available = || "N/A".to_owned();
    let switch = |on| if on { "enabled" } else { "disabled" }.to_owned();
    vec![
        ("DB:ID", format!("db:{}", db.id)),
        ("NAME", db.name.clone()),
        ("TYPE", "redis".to_owned()),
        ("MODULE", "no".to_owned()),
        ("STATUS", "active".to_owned()),
        ("SHARDS", db.groups.to_string()),
        ("PLACEMENT", "dense".to_owned()),
        ("REPLICATION", switch(db.replication)),
        ("PERSISTENCE", if db.persistence { "aof" } else { "disabled" }.to_owned()),
        ("ENDPOINT", format!("redis-{}.{}.local:{}", db.port, model.name, db.port)),
        ("EXEC_STATE", not_available()),
        ("EXEC_STATE_MACHINE", not_available()),
        ("BACKUP_PROGRESS", not_available()),
        ("MISSING_BACKUP_TIME", not_available()),
        ("REDIS_VERSION", facts::redis_version(db.redis_version)),
    ]
}

pub(super) fn endpoints(model: &Model, view: &View) -> Table {
    let mut columns = vec!["DB:ID", "NAME", "ID", "NODE", "ROLE", "SSL"];
    if view.extra {
        columns.push("WATCHDOG_STATUS");
    }
    let mut table = Table::new("ENDPOINTS:", &columns);
    for db in model.databases.values() {
        let Some(primary) = model.primary_of(db.id, 0) else { continue };
        let node_up = model.nodes.get(&primary.node).is_some_and(Node::is_member);
        let status = if node_up { "OK" } else { "DOWN" };
        if (view.issues_only && !is_issue(status)) || !view.wants(primary.node, db.id) {
            continue;
        }
        table.row(&[
            ("DB:ID", format!("db:{}", db.id)),
            ("NAME", db.name.clone()),
            ("ID", format!("endpoint:{}:1", db.id)),
            ("NODE", format!("node:{}", primary.node)),
            ("ROLE", "single".to_owned()),
            ("SSL", "No".to_owned()),
            ("WATCHDOG_STATUS", status.to_owned()),
        ]);
    }
    table
}

pub(super) fn shards(model: &Model, view: &View) -> Table {
    let mut columns = vec!["DB:ID", "NAME", "ID", "NODE", "ROLE", "SLOTS", "USED_MEMORY"];
    if view.extra {
        if !view.since(7, 8, 2) {
            columns.push("BACKUP_PROGRESS");
        }
        columns.extend(["RAM_FRAG", "WATCHDOG_STATUS"]);
    }
    columns.push("STATUS");
    let mut table = Table::new("SHARDS:", &columns);
    for shard in model.shards.values().filter(|shard| view.wants(shard.node, shard.db)) {
        let (mut status, mut watchdog) = shard_statuses(model, shard);
        if view.issues_only && !is_issue(&status) {
            continue;
        }
        if view.swaps_status() {
            std::mem::swap(&mut status, &mut watchdog);
        }
        let mut cells = shard_cells(model, shard);
        cells.extend([("WATCHDOG_STATUS", watchdog), ("STATUS", status)]);
        table.row(&cells);
    }
    table
}

/// The shard's own status, with its `OLD …` suffix, and what the watchdog says (fact sheet §3.4).
fn shard_statuses(model: &Model, shard: &Shard) -> (String, String) {
    let state = match model.shard_state(shard) {
        ShardState::Down => "DOWN",
        ShardState::Loading => "loading",
        ShardState::Syncing => "syncing",
        ShardState::Ok => "OK",
    };
    let bundled = model.nodes.get(&shard.node).map(|node| facts::default_database(node.version));
    let old = model
        .databases
        .get(&shard.db)
        .is_some_and(|db| bundled.is_some_and(|newest| newest > db.redis_version));
    let suffix = if old && state == "OK" { ", OLD REDIS VERSION" } else { "" };
    (format!("{state}{suffix}"), state.to_owned())
}

fn shard_cells(model: &Model, shard: &Shard) -> Vec<(&'static str, String)> {
    let db = model.databases.get(&shard.db);
    let role = if shard.role == Role::Primary { "master" } else { "slave" };
    vec![
        ("DB:ID", format!("db:{}", shard.db)),
        ("NAME", db.map(|db| db.name.clone()).unwrap_or_default()),
        ("ID", format!("redis:{}", shard.id)),
        ("NODE", format!("node:{}", shard.node)),
        ("ROLE", role.to_owned()),
        ("SLOTS", slots(shard.group, db.map_or(1, |db| db.groups))),
        ("USED_MEMORY", "2.08MB".to_owned()),
        ("BACKUP_PROGRESS", "N/A".to_owned()),
        ("RAM_FRAG", "4.73MB".to_owned()),
    ]
}

/// An equal part of the 16384 slots.
fn slots(group: u32, groups: u32) -> String {
    format!("{}-{}", group * 16_384 / groups, (group + 1) * 16_384 / groups - 1)
}
