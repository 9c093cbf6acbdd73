//! Installers of other steps that may still be at work on this node.

use proto::StepId;

use super::{Ops, SignOfLife, files, was_started};
use crate::durable::StateError;
use crate::executor::all_steps;
use crate::state::StateDir;

/// Another step whose installer was started, left no result and still lives: it was given up when it was overdue, and
/// nothing may be installed beside it (promise P1).
///
/// # Errors
/// [`StateError`], when the steps cannot be listed.
pub async fn another_lives(
    ops: &dyn Ops,
    state: &StateDir,
    but: &StepId,
) -> Result<Option<StepId>, StateError> {
    for step in all_steps(state)?.into_iter().filter(|step| step != but) {
        let dir = state.step(&step);
        let unfinished = was_started(&dir) && !files(&dir).result.exists();
        if unfinished && ops.sign_of_life(&dir, &step).await == SignOfLife::Running {
            return Ok(Some(step));
        }
    }
    Ok(None)
}
