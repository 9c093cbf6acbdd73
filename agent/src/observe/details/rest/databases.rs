//! `GET /v1/bdbs`.

use std::collections::BTreeSet;

use proto::{FactValue, Probe};
use serde_json::{Map, Value};

use super::json::{joined, list, must, object, scalar, scalars};
use super::{Look, Read, fact};

pub(in crate::observe::details) async fn databases(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v1/bdbs", read).await
}

pub(super) fn read(document: &Value) -> Read {
    let (mut rows, mut uids) = (Vec::new(), BTreeSet::new());
    for database in list(document)? {
        let object = object(database)?;
        let uid = must(object, "uid")?;
        if !uids.insert(uid.clone()) {
            return Err(format!("it has database {uid} twice"));
        }
        let mut row = scalars(object);
        row.remove("module_list");
        row.remove("replica_sources");
        row.remove("sync_sources");
        if let Some(hosts) = sources(object) {
            row.insert("replica_sources".to_owned(), hosts);
        }
        let modules = object.get("module_list").and_then(Value::as_array);
        if let Some(names) = modules.and_then(|modules| joined(modules, module)) {
            row.insert("module_list".to_owned(), names);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The hosts that a Replica-Of database has its data from, without their credentials; `None` if it is no such database. The
/// list has an older name, too. If it is not known whole, its text is empty: there are sources, and it is not told which.
fn sources(database: &Map<String, Value>) -> Option<String> {
    let list =
        |key: &str| database.get(key).filter(|list| !list.is_null() && **list != Value::Array(Vec::new()));
    let sources = list("replica_sources").or_else(|| list("sync_sources"))?;
    let hosts = sources.as_array().and_then(|sources| joined(sources, source));
    Some(hosts.unwrap_or_default())
}

/// The host in `redis://user:secret@host:port`.
fn source(source: &Value) -> Option<String> {
    let uri = source.get("uri")?.as_str()?;
    let (_, rest) = uri.split_once("://")?;
    // A secret may hold any of these signs; a host none.
    let host = rest.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next()?,
        None => host.split([':', '/', '?']).next()?,
    };
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    (!host.is_empty() && host.bytes().all(harmless)).then(|| host.to_owned())
}

fn module(module: &Value) -> Option<String> {
    scalar(module.get("module_name")?).filter(|name| !name.is_empty())
}
