//! `rladmin status modules extra all`.

use proto::{FactValue, Probe, Row};

use super::super::offered;
use super::{Look, Once};
use crate::parse::modules::Modules;

/// The cluster's modules.
pub(super) async fn modules(look: &Look<'_>, once: &Once) -> Probe<FactValue> {
    table(look, once, |modules| &modules.cluster).await
}

/// Those of its databases.
pub(super) async fn database_modules(look: &Look<'_>, once: &Once) -> Probe<FactValue> {
    table(look, once, |modules| &modules.databases).await
}

async fn table(look: &Look<'_>, once: &Once, of: fn(&Modules) -> &Vec<Row>) -> Probe<FactValue> {
    if look.view.is_none() {
        // One that hangs would hang again, for as long.
        return Probe::Unknown("not asked: `rladmin status extra all` gave no usable answer".to_owned());
    }
    let answer = once.modules(look.product).await.as_ref();
    offered(answer.map(|modules| FactValue::Rows(of(modules).clone())), true)
}
