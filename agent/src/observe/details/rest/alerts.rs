//! `GET /v1/cluster/alerts`, `/v1/nodes/alerts` and `/v1/bdbs/alerts`: what is alerted now, also where nobody wanted to be
//! told (`ignore_settings`): an alert that was switched off does not make well what it is about.

use proto::{FactValue, Probe, Row};
use serde_json::Value;

use super::json::{object, scalar};
use super::{Look, Read, probe, rows};

/// Below an alert there may be one for each source of a replica, and no more.
const DEEPEST: usize = 3;

pub(in crate::observe::details) async fn alerts(look: &Look<'_>) -> Probe<FactValue> {
    let answers = futures::future::try_join3(
        rows(look, "/v1/cluster/alerts?ignore_settings=true", cluster),
        rows(look, "/v1/nodes/alerts?ignore_settings=true", nodes),
        rows(look, "/v1/bdbs/alerts?ignore_settings=true", databases),
    );
    probe(answers.await.map(|(cluster, nodes, databases)| [cluster, nodes, databases].concat()))
}

/// A document of any of the three.
pub(super) fn read(document: &Value) -> Read {
    cluster(document).or_else(|_| nodes(document)).or_else(|_| databases(document))
}

/// The cluster's are by name; by the fact sheet they may be one level below.
pub(super) fn cluster(document: &Value) -> Read {
    let mut found = Vec::new();
    for (name, value) in object(document)? {
        if name.parse::<u64>().is_ok() {
            of_one("cluster", value, &mut found)?;
        } else {
            active("cluster", name, value, 0, &mut found)?;
        }
    }
    Ok(found)
}

pub(super) fn nodes(document: &Value) -> Read {
    by_uid("node", document)
}

pub(super) fn databases(document: &Value) -> Read {
    by_uid("db", document)
}

fn by_uid(kind: &str, document: &Value) -> Read {
    let mut found = Vec::new();
    for (uid, value) in object(document)? {
        if uid.parse::<u64>().is_err() {
            return Err(format!("`{uid}` is no uid"));
        }
        of_one(&format!("{kind}:{uid}"), value, &mut found)?;
    }
    Ok(found)
}

fn of_one(scope: &str, alerts: &Value, found: &mut Vec<Row>) -> Result<(), String> {
    object(alerts)?.iter().try_for_each(|(name, value)| active(scope, name, value, 0, found))
}

/// Adds an alert if it is active. One that does not say so is no alert, but may hold some.
fn active(scope: &str, name: &str, value: &Value, depth: usize, found: &mut Vec<Row>) -> Result<(), String> {
    let alert = object(value)?;
    match alert.get("state") {
        Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => found.push(row(scope, name, alert.get("severity").and_then(scalar))),
        None if depth < DEEPEST && alert.values().all(Value::is_object) => {
            alert.values().try_for_each(|below| active(scope, name, below, depth + 1, found))?;
        }
        _ => return Err(format!("alert `{name}` of {scope} does not say whether it is active")),
    }
    Ok(())
}

fn row(scope: &str, name: &str, severity: Option<String>) -> Row {
    let cells = [("scope", Some(scope.to_owned())), ("alert", Some(name.to_owned())), ("severity", severity)];
    cells.into_iter().filter_map(|(key, cell)| Some((key.to_owned(), cell?))).collect()
}
