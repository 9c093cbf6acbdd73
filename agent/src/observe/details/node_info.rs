//! `rladmin info node N` of this node.

use proto::{FactValue, Probe};

use super::super::offered;
use super::Look;

pub(super) async fn node_info(look: &Look<'_>) -> Probe<FactValue> {
    let Some(node) = look.node else {
        return Probe::Unknown("which node this is was not clear".to_owned());
    };
    let answer = look.product.info_node(node).await;
    offered(answer.map(|row| FactValue::Rows(vec![row])), look.view.is_some())
}
