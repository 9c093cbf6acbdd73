//! NOT BUILT YET.

use proto::{FactValue, Probe};

use super::Look;

pub(super) async fn repositories(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn logrotate_changed(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}
