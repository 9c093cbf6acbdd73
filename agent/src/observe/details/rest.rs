//! NOT BUILT YET.

use proto::{FactValue, Probe};

use super::Look;

pub(super) async fn cluster(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn cluster_policy(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn ldap(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn licence(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn databases(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn active_active(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn alerts(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn actions(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}

pub(super) async fn health_report(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Unknown("not built yet".to_owned())
}
