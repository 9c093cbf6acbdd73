//! What the agent, and so the installer, runs with.

use proto::{FactValue, Probe};

use super::Look;
use crate::host::starts::UMASK;

pub(super) async fn effective_user(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Known(FactValue::Number(rustix::process::geteuid().as_raw().into()))
}

pub(super) async fn root(look: &Look<'_>) -> Probe<FactValue> {
    Probe::Known(FactValue::Text(look.product.root().display().to_string()))
}

/// Not the agent's own: the op runner sets it just before it starts the installer.
pub(super) async fn umask(_look: &Look<'_>) -> Probe<FactValue> {
    Probe::Known(FactValue::Text(format!("{UMASK:04o}")))
}
