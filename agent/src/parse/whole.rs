//! What the tables of one output must satisfy together. Rows that were lost show up here.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use proto::{DatabaseRow, EndpointRow, Health, NodeRow, NodeUid, ShardRole, ShardRow};

use super::rows::Database;
use super::status::StatusError;

pub(super) fn unique_nodes(nodes: Vec<NodeRow>) -> Result<Vec<NodeRow>, StatusError> {
    unique(nodes, |node| node.uid, |uid| uid.to_string())
}

pub(super) fn unique_databases(databases: Vec<Database>) -> Result<Vec<Database>, StatusError> {
    unique(databases, |database| database.row.uid, |uid| format!("db:{uid}"))
}

pub(super) fn unique_shards(shards: Vec<ShardRow>) -> Result<Vec<ShardRow>, StatusError> {
    unique(shards, |shard| shard.id.clone(), String::clone)
}

fn unique<T, K: Hash + Eq + Clone>(
    rows: Vec<T>,
    key: impl Fn(&T) -> K,
    name: impl Fn(&K) -> String,
) -> Result<Vec<T>, StatusError> {
    let mut seen = HashSet::new();
    match rows.iter().map(key).find(|key| !seen.insert(key.clone())) {
        Some(twice) => Err(StatusError::Duplicate { what: name(&twice) }),
        None => Ok(rows),
    }
}

/// Every endpoint and shard must be of a listed database and on a listed node.
pub(super) fn check_references(
    nodes: &[NodeRow],
    databases: &[Database],
    endpoints: &[EndpointRow],
    shards: &[ShardRow],
) -> Result<(), StatusError> {
    let nodes: HashSet<NodeUid> = nodes.iter().map(|node| node.uid).collect();
    let databases: HashSet<u32> = databases.iter().map(|database| database.row.uid).collect();
    let endpoints = endpoints.iter().map(|endpoint| (&endpoint.id, endpoint.database, endpoint.node));
    let shards = shards.iter().map(|shard| (&shard.id, shard.database, shard.node));
    for (subject, database, node) in endpoints.chain(shards) {
        if !databases.contains(&database) {
            return Err(dangling(subject, format!("db:{database}")));
        }
        if !nodes.contains(&node) {
            return Err(dangling(subject, node));
        }
    }
    Ok(())
}

fn dangling(subject: &str, missing: impl Display) -> StatusError {
    StatusError::Dangling { subject: subject.to_owned(), missing: missing.to_string() }
}

/// A database whose shards are not all listed is not known to be good: `SHARDS` counts its primaries, and a replicated
/// database has at least one replica for each.
pub(super) fn count_shards(databases: Vec<Database>, shards: &[ShardRow]) -> Vec<DatabaseRow> {
    let counted = |database: Database| {
        let listed = |role| {
            shards
                .iter()
                .filter(|shard| shard.database == database.row.uid && shard.role == Some(role))
                .count()
        };
        let expected = database.primaries.map_or(0, |count| count as usize);
        let (primaries, replicas) = (listed(ShardRole::Primary), listed(ShardRole::Replica));
        let mut row = database.row;
        let complaint = if primaries < expected {
            Some(format!("only {primaries} of its {expected} primary shards are listed"))
        } else if row.replicated == Some(true) && replicas < expected {
            Some(format!("only {replicas} of its {expected} replica shards are listed"))
        } else {
            None
        };
        if let (true, Some(complaint)) = (row.status.is_ok(), complaint) {
            row.status = Health::NotOk(format!("active, but {complaint}"));
        }
        row
    };
    databases.into_iter().map(counted).collect()
}
