//! `rladmin info`: settings of the cluster, of nodes and of databases.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::rladmin::{database_id, invalid, node_uid};
use crate::model::{Database, Model, Node};

/// Prints what the words behind `info` ask for.
pub(super) fn print(model: &Model, words: &[&str]) -> Result<String, String> {
    match words {
        ["cluster"] => Ok(block("Cluster configuration:", &model.cluster_settings())),
        ["node"] => Ok(model.nodes.values().map(node).collect()),
        ["node", word] => {
            let uid = node_uid(model, word)?;
            Ok(model.nodes.get(&uid).map(node).unwrap_or_default())
        }
        ["db"] => Ok(model.databases.values().map(database).collect()),
        ["db", word] => {
            let id = database_id(model, word)?;
            Ok(model.databases.get(&id).map(database).unwrap_or_default())
        }
        ["cluster" | "node" | "db", .., word] | [word, ..] => Err(invalid(word)),
        [] => Err(invalid("info")),
    }
}

fn node(node: &Node) -> String {
    block(format!("Command Output: node:{}", node.uid), &node.settings())
}

fn database(database: &Database) -> String {
    block(format!("db:{} [{}]:", database.id, database.name), &database.config)
}

fn block(heading: impl Display, settings: &BTreeMap<String, String>) -> String {
    let lines = settings.iter().map(|(key, value)| format!("    {key}: {value}\n"));
    std::iter::once(format!("{heading}\n")).chain(lines).collect()
}
