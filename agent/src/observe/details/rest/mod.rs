//! Facts from the product's own REST API (fact sheet §4); one file for each. Without a viewer's credential they are
//! unknown, never fine.

mod actions;
mod active_active;
mod alerts;
mod cluster;
mod cluster_policy;
mod databases;
mod health_report;
mod json;
mod ldap;
mod licence;

#[cfg(test)]
mod tests;

use proto::{Fact, FactValue, Probe, Row};
use serde_json::Value;

use super::Look;
use crate::rest::RestError;

pub(super) use actions::actions;
pub(super) use active_active::active_active;
pub(super) use alerts::alerts;
pub(super) use cluster::cluster;
pub(super) use cluster_policy::cluster_policy;
pub(super) use databases::databases;
pub(super) use health_report::health_report;
pub(super) use ldap::ldap;
pub(super) use licence::licence;

/// What a document holds, or why it cannot be used.
type Read = Result<Vec<Row>, String>;

/// What the document of a fact says; `None` if there is none for this fact. Alerts have three, of one form each.
pub(in crate::observe) fn read_document(fact: Fact, document: &Value) -> Option<Result<Vec<Row>, String>> {
    match fact {
        Fact::Actions => Some(actions::read(document, None)),
        Fact::ActiveActive => Some(active_active::read(document)),
        Fact::Alerts => Some(alerts::read(document)),
        Fact::Cluster => Some(cluster::read(document)),
        Fact::ClusterPolicy => Some(cluster_policy::read(document)),
        Fact::Databases => Some(databases::read(document)),
        Fact::HealthReport => Some(health_report::read(document)),
        Fact::Ldap => Some(ldap::read(document)),
        Fact::Licence => Some(licence::read(document)),
        _ => None,
    }
}

/// A fact out of one document.
async fn fact(look: &Look<'_>, path: &str, read: fn(&Value) -> Read) -> Probe<FactValue> {
    probe(rows(look, path, read).await)
}

/// The rows of one document.
async fn rows(look: &Look<'_>, path: &str, read: fn(&Value) -> Read) -> Result<Vec<Row>, RestError> {
    let document = get(look, path).await?;
    read(&document).map_err(|reason| RestError::Unreadable { path: path.to_owned(), reason })
}

async fn get(look: &Look<'_>, path: &str) -> Result<Value, RestError> {
    let session = look.rest.ok_or(RestError::NoCredential)?;
    let nodes = look.view.map(|view| view.nodes.iter().map(|node| node.address.as_str()).collect());
    let nodes: Vec<&str> = nodes.unwrap_or_default();
    session.get(path, &nodes).await
}

fn probe(answer: Result<Vec<Row>, RestError>) -> Probe<FactValue> {
    match answer {
        Ok(rows) => Probe::Known(FactValue::Rows(rows)),
        Err(error @ RestError::Unsupported { .. }) => Probe::Unsupported(error.to_string()),
        Err(error) => Probe::Unknown(error.to_string()),
    }
}
