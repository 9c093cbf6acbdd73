//! Which node of the cluster this is.

use proto::{ClusterView, NodeUid, Probe};

use crate::host::{HostError, Product, with_causes};

/// The uid of the `*node:` row, which is the node one is connected to (fact sheet §3.2), cross-checked with the product's
/// own file (fact sheet §3.8). The file alone does while `rladmin` is down.
pub(super) fn node_uid(product: &Product, view: &Result<ClusterView, HostError>) -> Probe<NodeUid> {
    let shown = view.as_ref().map(|view| view.local);
    match (shown, from_file(product)) {
        (Ok(uid), Ok(None)) => Probe::Known(uid),
        (Ok(uid), Ok(Some(file))) if uid == file => Probe::Known(uid),
        (Ok(uid), Ok(Some(file))) => Probe::Unknown(format!(
            "`rladmin status` calls this node {uid}, the product's file node.id says {file}: one of them is of another installation"
        )),
        (_, Err(reason)) => Probe::Unknown(reason),
        (Err(_), Ok(Some(file))) => Probe::Known(file),
        (Err(error), Ok(None)) => Probe::Unknown(with_causes(error)),
    }
}

fn from_file(product: &Product) -> Result<Option<NodeUid>, String> {
    match product.node_id().map_err(|error| with_causes(&error))? {
        None => Ok(None),
        Some(text) => {
            let uid = text
                .parse()
                .map_err(|_| format!("the product's file node.id holds `{text}`, not a number"))?;
            Ok(Some(NodeUid(uid)))
        }
    }
}
