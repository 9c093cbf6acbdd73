//! `GET /v1/cluster/policy`.

use proto::{FactValue, Probe};
use serde_json::Value;

use super::json::{object, one, scalars};
use super::{Look, Read, fact};

pub(in crate::observe::details) async fn cluster_policy(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v1/cluster/policy", read).await
}

pub(super) fn read(document: &Value) -> Read {
    one(scalars(object(document)?))
}
