//! `supervisorctl status`.

use proto::{FactValue, Probe};

use super::super::probe;
use super::Look;

pub(super) async fn services(look: &Look<'_>) -> Probe<FactValue> {
    probe(look.product.services().await.map(FactValue::Rows))
}
