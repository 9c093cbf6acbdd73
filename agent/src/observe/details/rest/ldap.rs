//! `GET /v1/cluster/ldap`.

use proto::{FactValue, Probe};
use serde_json::Value;

use super::json::{flat, object, one};
use super::{Look, Read, fact};

pub(in crate::observe::details) async fn ldap(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v1/cluster/ldap", read).await
}

pub(super) fn read(document: &Value) -> Read {
    one(flat(object(document)?)?)
}
