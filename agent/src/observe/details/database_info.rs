//! `rladmin info db`.

use proto::{FactValue, Probe};

use super::super::offered;
use super::Look;

pub(super) async fn database_info(look: &Look<'_>) -> Probe<FactValue> {
    let Some(view) = look.view else {
        let reason =
            "`rladmin status extra all` gives no answer, so whether all databases are listed cannot be told";
        return Probe::Unknown(reason.to_owned());
    };
    let expected: Vec<u32> = view.databases.iter().map(|database| database.uid).collect();
    // What the tool prints when there is none is not documented.
    if expected.is_empty() {
        return Probe::Known(FactValue::Rows(Vec::new()));
    }
    let answer = look.product.info_databases(&expected).await;
    offered(answer.map(FactValue::Rows), true)
}
