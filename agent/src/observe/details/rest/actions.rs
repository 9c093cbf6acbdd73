//! `GET /v1/actions`, and `/v2/actions` where the product has it (7.22 and later): that one knows also of imports, exports
//! and backups.

use std::collections::BTreeSet;

use proto::{FactValue, Probe, Row};
use serde_json::{Map, Value};

use super::json::{list, object, scalar};
use super::{Look, get, probe};
use crate::rest::RestError;

/// Words for what is over; completed actions stay listed. Any other word is that of something at work.
const OVER: [&str; 4] = ["aborted", "cancelled", "completed", "failed"];

pub(in crate::observe::details) async fn actions(look: &Look<'_>) -> Probe<FactValue> {
    let (first, second) = tokio::join!(get(look, "/v1/actions"), get(look, "/v2/actions"));
    let rows = first.and_then(|first| {
        let second = match second {
            Err(RestError::Unsupported { .. }) => None,
            second => Some(second?),
        };
        let unreadable =
            |reason| RestError::Unreadable { path: "/v1/actions and /v2/actions".to_owned(), reason };
        read(&first, second.as_ref()).map_err(unreadable)
    });
    probe(rows)
}

/// Those that are not over, each once.
pub(super) fn read(first: &Value, second: Option<&Value>) -> super::Read {
    let first = object(first)?;
    let actions = first.get("actions").ok_or("it has no `actions`")?;
    let machines = first.get("state-machines").map(list).transpose()?.unwrap_or_default();
    let second = second.map(list).transpose()?.unwrap_or_default();
    let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
    for action in list(actions)?.iter().chain(machines).chain(second) {
        let action = object(action)?;
        let is_over =
            action.get("status").and_then(scalar).is_some_and(|status| OVER.contains(&status.as_str()));
        let is_new = |uid: String| seen.insert(uid);
        if !is_over && action.get("action_uid").and_then(scalar).is_none_or(is_new) {
            rows.push(row(action));
        }
    }
    Ok(rows)
}

fn row(action: &Map<String, Value>) -> Row {
    let cell = |key: &str| action.get(key).and_then(scalar).filter(|text| !text.is_empty());
    let node = || cell("node_uid").map(|uid| format!("node:{uid}"));
    let cells =
        [("name", cell("name")), ("status", cell("status")), ("object", cell("object_name").or_else(node))];
    cells.into_iter().filter_map(|(key, cell)| Some((key.to_owned(), cell?))).collect()
}
