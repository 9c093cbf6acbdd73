//! `GET /v1/cluster`.

use proto::{FactValue, Probe};
use serde_json::Value;

use super::json::{must, object, one, scalars};
use super::{Look, Read, fact};

pub(in crate::observe::details) async fn cluster(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v1/cluster", read).await
}

pub(super) fn read(document: &Value) -> Read {
    let object = object(document)?;
    must(object, "name")?;
    one(scalars(object))
}
