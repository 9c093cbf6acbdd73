//! NOT BUILT YET.

use proto::{FactValue, Probe};

use super::Look;

pub(super) async fn security_agents(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}
