//! `GET /v1/bdbs`.

use std::collections::BTreeSet;

use proto::{FactValue, Probe};
use serde_json::Value;

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
        let modules = object.get("module_list").and_then(Value::as_array);
        if let Some(names) = modules.and_then(|modules| joined(modules, module)) {
            row.insert("module_list".to_owned(), names);
        }
        rows.push(row);
    }
    Ok(rows)
}

fn module(module: &Value) -> Option<String> {
    scalar(module.get("module_name")?).filter(|name| !name.is_empty())
}
