//! `rladmin`: the commands a cluster upgrade needs (fact sheet §3), strict about every word.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::status::{self, View};
use super::{Output, info, modules};
use crate::model::Model;

/// Runs a command on a node. Only the node's own services can answer, so without them everything fails.
pub fn run(model: &mut Model, uid: u32, args: &[String], now: Timestamp) -> Output {
    let words: Vec<&str> = args.iter().map(String::as_str).filter(|word| *word != "-y").collect();
    if !model.nodes.get(&uid).is_some_and(crate::model::Node::is_member) {
        return Output::fail(1, "ERROR: failed to connect to the cluster: [Errno 111] Connection refused\n");
    }
    let result = match words.as_slice() {
        ["status", "modules", rest @ ..] => print_modules(model, rest),
        ["status", rest @ ..] => print_status(model, uid, rest, now),
        ["cluster", rest @ ..] => cluster(model, rest, now),
        ["info", rest @ ..] => info::print(model, rest),
        ["tune", "cluster", key, value] => tune(&mut model.config, key, value),
        ["tune", "db", database, key, value] => tune_database(model, database, key, value),
        ["node", node, rest @ ..] => {
            node_uid(model, node).and_then(|node| node_command(model, node, rest, now))
        }
        other => Err(invalid(other.first().copied().unwrap_or(""))),
    };
    match result {
        Ok(text) => Output::ok(text),
        Err(error) => Output::fail(1, format!("ERROR: {error}\n")),
    }
}

pub(super) fn invalid(word: &str) -> String {
    format!("invalid token '{word}'")
}

pub(super) fn node_uid(model: &Model, word: &str) -> Result<u32, String> {
    let uid = word.strip_prefix("node:").unwrap_or(word).parse().map_err(|_| invalid(word))?;
    if model.nodes.contains_key(&uid) { Ok(uid) } else { Err(format!("node:{uid} does not exist")) }
}

fn print_status(model: &Model, uid: u32, words: &[&str], now: Timestamp) -> Result<String, String> {
    let (section, rest) = match words {
        [section @ ("nodes" | "databases" | "endpoints" | "shards"), rest @ ..] => (Some(*section), rest),
        rest => (None, rest),
    };
    let version = model.nodes.get(&uid).map(|node| node.version);
    let view = options(model, View { local: uid, version, ..View::default() }, section, rest)?;
    let render = |table: super::table::Table| table.render(model.noise);
    let parts = match section {
        Some("nodes") => vec![render(status::nodes(model, &view, now))],
        Some("databases") => vec![render(status::databases(model, &view))],
        Some("endpoints") => vec![render(status::endpoints(model, &view))],
        Some(_) => vec![render(status::shards(model, &view))],
        None => {
            let mut parts = if view.extra { vec![status::cluster(model, now)] } else { Vec::new() };
            parts.push(render(status::nodes(model, &view, now)));
            parts.push(render(status::databases(model, &view)));
            parts.push(render(status::endpoints(model, &view)));
            parts.push(render(status::shards(model, &view)));
            parts
        }
    };
    Ok(format!("{}{}", chatter(model), parts.join("\n")))
}

fn print_modules(model: &Model, words: &[&str]) -> Result<String, String> {
    let tables = modules::tables(model, words)?.map(|table| table.render(model.noise));
    Ok(format!("{}{}", chatter(model), tables.join("\n")))
}

fn chatter(model: &Model) -> &'static str {
    if model.noise { "\u{1b}[33mWarning: the license expires in 12 days\u{1b}[0m\n\n" } else { "" }
}

/// The words after a section (fact sheet §3.1); `node` and `db` belong to endpoints and shards only.
fn options(model: &Model, mut view: View, section: Option<&str>, words: &[&str]) -> Result<View, String> {
    let mut rest = words;
    let by_row = matches!(section, Some("endpoints" | "shards"));
    loop {
        rest = match rest {
            [] => return Ok(view),
            ["extra", "all", rest @ ..] => {
                view.extra = true;
                rest
            }
            ["issues_only", rest @ ..] => {
                view.issues_only = true;
                rest
            }
            ["node", node, rest @ ..] if by_row => {
                view.only_node = Some(node_uid(model, node)?);
                rest
            }
            ["db", db, rest @ ..] if by_row => {
                view.only_db = Some(database_id(model, db)?);
                rest
            }
            ["extra", word, ..] | [word, ..] => return Err(invalid(word)),
        };
    }
}

pub(super) fn database_id(model: &Model, word: &str) -> Result<u32, String> {
    let id = word.strip_prefix("db:").and_then(|id| id.parse().ok());
    let named = model.databases.values().find(|db| Some(db.id) == id || db.name == word);
    named.map(|db| db.id).ok_or_else(|| format!("database '{word}' does not exist"))
}

fn cluster(model: &mut Model, words: &[&str], now: Timestamp) -> Result<String, String> {
    match words {
        ["running_actions"] => Ok(running_actions(model)),
        ["master"] => match model.master {
            Some(uid) => Ok(format!("Node {uid} is the cluster master node\n")),
            None => Err("there is no cluster master node".to_owned()),
        },
        ["master", "set", node] => {
            let uid = node_uid(model, node)?;
            if !model.nodes.get(&uid).is_some_and(crate::model::Node::is_up) {
                return Err(format!("node:{uid} is down"));
            }
            model.set_master(Some(uid), now);
            Ok(format!("Node {uid} set to be the cluster master node\n"))
        }
        ["config", key, value] => config(model, key, value),
        other => Err(invalid(other.first().copied().unwrap_or("cluster"))),
    }
}

fn config(model: &mut Model, key: &str, value: &str) -> Result<String, String> {
    match (key, value) {
        ("upgrade_mode", "enabled") => model.upgrade_mode = true,
        ("upgrade_mode", "disabled") => model.upgrade_mode = false,
        ("upgrade_mode", other) => return Err(invalid(other)),
        (key, value) if model.config.contains_key(key) => {
            drop(model.config.insert(key.to_owned(), value.to_owned()))
        }
        (key, _) => return Err(invalid(key)),
    }
    Ok("Cluster configured successfully\n".to_owned())
}

fn tune(settings: &mut BTreeMap<String, String>, key: &str, value: &str) -> Result<String, String> {
    let setting = settings.get_mut(key).ok_or_else(|| invalid(key))?;
    value.clone_into(setting);
    Ok("Finished successfully\n".to_owned())
}

fn tune_database(model: &mut Model, word: &str, key: &str, value: &str) -> Result<String, String> {
    let id = database_id(model, word)?;
    let database = model.databases.get_mut(&id).ok_or_else(|| invalid(word))?;
    tune(&mut database.config, key, value)
}

fn running_actions(model: &Model) -> String {
    if model.tasks.is_empty() {
        return "No active tasks\n".to_owned();
    }
    let mut text = format!("Got {} tasks:\n", model.tasks.len());
    for (number, task) in (1..).zip(&model.tasks) {
        let node = task.node.map(|uid| format!(" Node: {uid}")).unwrap_or_default();
        text.push_str(&format!("{number}) Task: {} ({}){node} Status: running\n", task.name, task.id));
    }
    text
}

fn node_command(model: &mut Model, uid: u32, words: &[&str], now: Timestamp) -> Result<String, String> {
    let performing = |action: &str| format!("Performing {action} action on node:{uid}: 100%\nOK\n");
    match words {
        ["snapshot", "list"] => Ok(snapshots(model, uid)),
        ["maintenance_mode", "on", ..] => {
            let name = model.maintenance_on(uid, now).unwrap_or_default();
            Ok(format!(
                "created snapshot NodeSnapshot<name={name},time=None,node_uid={uid}>\n\nnode:{uid} will not accept any more \
                 shards\n{}",
                performing("maintenance_on")
            ))
        }
        ["maintenance_mode", "off"] => match model.maintenance_off(uid) {
            Some(name) => Ok(format!(
                "Found snapshot: NodeSnapshot<name={name},node_uid={uid}>\n{}",
                performing("maintenance_off")
            )),
            None => Err(format!("no maintenance snapshot of node:{uid} was found")),
        },
        ["enslave", "demote_node"] => {
            demote(model, uid, now)?;
            Ok(performing("enslave_node"))
        }
        other => Err(invalid(other.first().copied().unwrap_or("node"))),
    }
}

fn snapshots(model: &Model, uid: u32) -> String {
    let names = model.nodes.get(&uid).map(|node| node.snapshots.clone()).unwrap_or_default();
    names.iter().map(|name| format!("Name: {name} Node: {uid}\n")).collect()
}

/// Another node that is up takes the role; the lowest uid of them.
fn demote(model: &mut Model, uid: u32, now: Timestamp) -> Result<(), String> {
    if model.master != Some(uid) {
        return Ok(());
    }
    let other = model.nodes.values().find(|node| node.uid != uid && node.is_up()).map(|node| node.uid);
    let other = other.ok_or("no other node can become master")?;
    model.set_master(Some(other), now);
    Ok(())
}
