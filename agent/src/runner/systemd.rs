//! The op runner as a unit of its own, started over D-Bus.

use proto::StepId;
use zbus::OwnedObjectPath;

use super::launch::LaunchError;

/// The part of systemd's manager that is needed.
#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
trait Manager {
    /// Queues the start of a unit.
    fn start_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    /// The object of a unit that is loaded; an error for one that is not.
    fn get_unit(&self, name: &str) -> zbus::Result<OwnedObjectPath>;
}

/// The part of a unit that is needed.
#[zbus::proxy(interface = "org.freedesktop.systemd1.Unit", default_service = "org.freedesktop.systemd1")]
trait Unit {
    /// `inactive`, `activating`, `active`, `failed`, …
    #[zbus(property)]
    fn active_state(&self) -> zbus::Result<String>;
}

/// The unit of a step. Ids hold nothing that systemd would have to escape.
fn unit_of(step: &StepId) -> String {
    format!("ratchet-op@{step}.service")
}

/// Starts a step's unit, or leaves it running: a start that is under way is joined, never doubled.
pub(super) async fn start(step: &StepId) -> Result<(), LaunchError> {
    let unit = unit_of(step);
    let failed = |source| LaunchError::Unit { unit: unit.clone(), source };
    let connection = zbus::Connection::system().await.map_err(failed)?;
    let manager = ManagerProxy::new(&connection).await.map_err(failed)?;
    manager.start_unit(&unit, "fail").await.map_err(failed)?;
    Ok(())
}

/// Whether a step's unit is being started: then its op runner may not have taken its lock yet. A unit that systemd
/// does not know, or no answer, is a no; an end is never concluded from what systemd says of its result, because an
/// unknown unit "succeeded".
pub(super) async fn is_starting(step: &StepId) -> bool {
    let state = async {
        let connection = zbus::Connection::system().await?;
        let manager = ManagerProxy::new(&connection).await?;
        let path = manager.get_unit(&unit_of(step)).await?;
        UnitProxy::builder(&connection).path(path).build().await?.active_state().await
    };
    matches!(state.await.as_deref(), Ok("activating" | "active"))
}
