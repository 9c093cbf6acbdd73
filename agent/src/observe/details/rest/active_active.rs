//! `GET /v1/crdbs`: the Active-Active databases that this cluster takes part in.

use proto::{FactValue, Probe, Row};
use serde_json::{Map, Value};

use super::json::{joined, list, must, object, scalar};
use super::{Look, Read, fact};

pub(in crate::observe::details) async fn active_active(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v1/crdbs", read).await
}

pub(super) fn read(document: &Value) -> Read {
    list(document)?.iter().map(|database| row(object(database)?)).collect()
}

fn row(database: &Map<String, Value>) -> Result<Row, String> {
    must(database, "guid")?;
    let told = ["guid", "name", "protocol_version", "featureset_version"];
    let cell = |key: &str| Some((key.to_owned(), scalar(database.get(key)?)?));
    let mut row: Row = told.into_iter().filter_map(cell).collect();
    let instances = database.get("instances").and_then(Value::as_array);
    // A database without instances is none that could be told of.
    let instances = instances.filter(|instances| !instances.is_empty());
    if let Some(clusters) = instances.and_then(|instances| joined(instances, cluster)) {
        row.insert("clusters".to_owned(), clusters);
    }
    Ok(row)
}

fn cluster(instance: &Value) -> Option<String> {
    scalar(instance.get("cluster")?.get("name")?).filter(|name| !name.is_empty())
}
