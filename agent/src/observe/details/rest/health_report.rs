//! `GET /v4/cluster/health` (8.0.16 and later; fact sheet §4.3).

use proto::{FactValue, Probe, Row};
use serde_json::{Map, Value};

use super::json::{flat, list, must, object, scalar};
use super::{Look, Read, fact};

pub(in crate::observe::details) async fn health_report(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v4/cluster/health", read).await
}

pub(super) fn read(document: &Value) -> Read {
    let report = object(document)?;
    must(report, "status")?;
    let mut row = flat(report)?;
    let nodes = list(report.get("nodes").ok_or("it has no `nodes`")?)?;
    for node in nodes {
        let (node, keys) = (object(node)?, ["in_maintenance", "quorum_only", "status"]);
        let name = format!("node:{}", must(node, "id")?);
        for key in keys {
            let cell = node.get(key).and_then(scalar).map(|cell| row.insert(format!("{name}.{key}"), cell));
            if cell.flatten().is_some() {
                return Err(format!("it has {name} twice"));
            }
        }
    }
    let certificates = report.get("certificates").map(list).transpose()?.unwrap_or_default();
    certificates.iter().try_for_each(|certificate| expiry(object(certificate)?, &mut row))?;
    Ok(vec![row])
}

/// Of several certificates of a type, one that has expired is enough.
fn expiry(certificate: &Map<String, Value>, row: &mut Row) -> Result<(), String> {
    let key = format!("certificate:{}.expired", must(certificate, "type")?);
    let expired = certificate.get("expired").and_then(Value::as_bool);
    let expired = expired.ok_or_else(|| format!("it does not tell `{key}`"))?;
    let cell = row.entry(key).or_default();
    if cell.as_str() != "true" {
        *cell = expired.to_string();
    }
    Ok(())
}
