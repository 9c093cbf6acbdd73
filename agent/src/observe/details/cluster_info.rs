//! `rladmin info cluster`.

use proto::{FactValue, Probe};

use super::super::offered;
use super::{Look, Once};

pub(super) async fn cluster_info(look: &Look<'_>, once: &Once) -> Probe<FactValue> {
    let info = once.info_cluster(look.product).await.as_ref();
    offered(info.map(|info| FactValue::Rows(vec![info.row().clone()])), look.view.is_some())
}
