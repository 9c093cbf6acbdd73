//! NOT BUILT YET.

use proto::{FactValue, Probe};

use super::Look;

pub(super) async fn effective_user(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn root(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn umask(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}
