//! Asking a person before a cluster is changed.

use proto::Failure;

use super::output::Output;

/// Lets somebody type the cluster's name, unless `--yes` was given.
///
/// # Errors
/// There is nobody to ask, or something else was typed; nothing was changed.
pub(super) fn confirm(out: &mut Output, cluster: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !out.can_ask() {
        let message = "an upgrade needs a person's consent, and there is no terminal to ask on";
        let remedy = "look at the plan (`ratchet plan`), then give --yes";
        return Err(Failure::operator("usage", message, remedy));
    }
    let typed = out.ask(&format!("Type the cluster's name ({cluster}) to start, anything else to leave:"))?;
    if typed == cluster {
        return Ok(());
    }
    let message = format!("`{typed}` is not `{cluster}`; nothing was started");
    Err(Failure::operator(
        "usage",
        message,
        "run the command again and type the cluster's name, or give --yes",
    ))
}
