//! `GET /v1/license`: what it says, never its text.

use proto::{FactValue, Probe, Row};
use serde_json::Value;

use super::json::{must, object, one, scalars};
use super::{Look, Read, fact};

/// Longer than anything else in it, and far shorter than a licence's text.
const LONGEST: usize = 200;

pub(in crate::observe::details) async fn licence(look: &Look<'_>) -> Probe<FactValue> {
    fact(look, "/v1/license", read).await
}

pub(super) fn read(document: &Value) -> Read {
    let object = object(document)?;
    must(object, "expired")?;
    let told = |key: &String, cell: &mut String| {
        !matches!(key.as_str(), "license" | "key" | "signature")
            && cell.len() <= LONGEST
            && !cell.contains('\n')
    };
    let mut row: Row = scalars(object);
    row.retain(told);
    one(row)
}
