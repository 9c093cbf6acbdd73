//! Rows of `rladmin status` as values (fact sheet §3.3). Columns nobody asks for are left alone.

use proto::{DatabaseRow, EndpointRow, NodeRole, NodeRow, NodeUid, ShardRole, ShardRow, Version};

use super::status::StatusError;
use super::status_words::{database_health, health};
use super::table::{Row, Table, all_digits};

/// A database with the number of primary shards it should have, where the column was shown.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pub row: DatabaseRow,
    pub primaries: Option<u32>,
}

/// `CLUSTER NODES`: each node, and whether it is the one that was asked.
pub(super) fn nodes(table: &Table<'_>) -> Result<Vec<(NodeRow, bool)>, StatusError> {
    table.require(&["NODE:ID", "VERSION", "STATUS"])?;
    table.rows().map(|row| node(&row)).collect()
}

/// `DATABASES`.
pub(super) fn databases(table: &Table<'_>) -> Result<Vec<Database>, StatusError> {
    table.require(&["DB:ID"])?;
    table.rows().map(|row| database(&row)).collect()
}

/// `ENDPOINTS`. Only `WATCHDOG_STATUS` tells an endpoint's health, and the plain form lacks it.
pub(super) fn endpoints(table: &Table<'_>) -> Result<Vec<EndpointRow>, StatusError> {
    table.require(&["DB:ID", "ID", "NODE"])?;
    let endpoint = |row: Row<'_>| {
        Ok(EndpointRow {
            id: id(&row)?,
            database: row.numbered("DB:ID", "db:")?,
            node: NodeUid(row.numbered("NODE", "node:")?),
            watchdog: health(row.text("WATCHDOG_STATUS")?),
        })
    };
    table.rows().map(endpoint).collect()
}

/// `SHARDS`. Both status columns count, because releases before 7.8.4-95 print them swapped (fact sheet §3.3).
pub(super) fn shards(table: &Table<'_>) -> Result<Vec<ShardRow>, StatusError> {
    table.require(&["DB:ID", "ID", "NODE"])?;
    let shard = |row: Row<'_>| {
        Ok(ShardRow {
            id: id(&row)?,
            database: row.numbered("DB:ID", "db:")?,
            node: NodeUid(row.numbered("NODE", "node:")?),
            role: row.word("ROLE")?.and_then(shard_role),
            slots: row.word("SLOTS")?.unwrap_or_default().to_owned(),
            status: health(row.text("STATUS")?),
            watchdog: health(row.text("WATCHDOG_STATUS")?),
        })
    };
    table.rows().map(shard).collect()
}

fn node(row: &Row<'_>) -> Result<(NodeRow, bool), StatusError> {
    let local = row.required("NODE:ID")?.starts_with('*');
    let uid = NodeUid(row.numbered("NODE:ID", if local { "*node:" } else { "node:" })?);
    let (shards, max_shards) = used_of_max(row.word("SHARDS")?.unwrap_or_default());
    let node = NodeRow {
        uid,
        role: row.word("ROLE")?.and_then(node_role),
        address: row.word("ADDRESS")?.unwrap_or_default().to_owned(),
        hostname: row.word("HOSTNAME")?.unwrap_or_default().to_owned(),
        shards,
        max_shards,
        version: version(row)?,
        status: health(row.text("STATUS")?),
    };
    Ok((node, local))
}

fn node_role(word: &str) -> Option<NodeRole> {
    match word {
        "master" => Some(NodeRole::Master),
        "slave" => Some(NodeRole::Replica),
        _ => None,
    }
}

fn shard_role(word: &str) -> Option<ShardRole> {
    match word {
        "master" => Some(ShardRole::Primary),
        "slave" => Some(ShardRole::Replica),
        _ => None,
    }
}

/// `4/100`: shards held, shards allowed; 0 allowed is maintenance mode or quorum-only (fact sheet §3.6).
fn used_of_max(cell: &str) -> (Option<u32>, Option<u32>) {
    let number = |text: &str| text.parse().ok().filter(|_| all_digits(text));
    match cell.split_once('/') {
        Some((used, max)) => (number(used), number(max)),
        None => (None, None),
    }
}

fn version(row: &Row<'_>) -> Result<Option<Version>, StatusError> {
    match row.word("VERSION")?.unwrap_or_default() {
        "" | "-" | "N/A" => Ok(None),
        text => text.parse().map(Some).map_err(|_| row.bad("VERSION", "a version X.Y.Z-B")),
    }
}

fn database(row: &Row<'_>) -> Result<Database, StatusError> {
    let primaries = match row.word("SHARDS")? {
        Some(text) => Some(text.parse().map_err(|_| row.bad("SHARDS", "a number"))?),
        None => None,
    };
    let replicated = match row.word("REPLICATION")? {
        Some("enabled") => Some(true),
        Some("disabled") => Some(false),
        _ => None,
    };
    let row = DatabaseRow {
        uid: row.numbered("DB:ID", "db:")?,
        name: row.text("NAME")?.unwrap_or_default().to_owned(),
        status: database_health(row.text("STATUS")?),
        replicated,
        exec_state: exec_state(row)?,
        redis_version: shown(row.word("REDIS_VERSION")?).map(str::to_owned),
        endpoints: list(shown(row.word("ENDPOINT")?)),
    };
    Ok(Database { row, primaries })
}

/// "`EXEC_STATE` = `N/A` (no state machine)" (fact sheet §3.5); the machine's own column must agree where it is shown.
fn exec_state(row: &Row<'_>) -> Result<Option<String>, StatusError> {
    let state = row.text("EXEC_STATE")?.unwrap_or_default();
    let machine = row.text("EXEC_STATE_MACHINE")?.unwrap_or("N/A");
    Ok(match (state, machine) {
        ("N/A", "N/A") => None,
        ("N/A", machine) => Some(machine.to_owned()),
        (state, "N/A") => Some(state.to_owned()),
        (state, machine) => Some(format!("{machine} {state}").trim().to_owned()),
    })
}

fn shown(cell: Option<&str>) -> Option<&str> {
    cell.filter(|text| !matches!(*text, "" | "-" | "N/A"))
}

/// Several endpoints stand in one cell, joined by `/` (fact sheet §3.2).
fn list(cell: Option<&str>) -> Vec<String> {
    cell.map(|text| text.split('/').map(str::to_owned).collect()).unwrap_or_default()
}

fn id(row: &Row<'_>) -> Result<String, StatusError> {
    let id = row.required("ID")?;
    let numbered = id.rsplit_once(':').is_some_and(|(kind, number)| !kind.is_empty() && all_digits(number));
    if numbered { Ok(id.to_owned()) } else { Err(row.bad("ID", "a kind and a number, like redis:4")) }
}
