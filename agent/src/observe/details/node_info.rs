//! NOT BUILT YET.

use proto::{FactValue, Probe};

use super::Look;

pub(super) async fn node_info(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}
