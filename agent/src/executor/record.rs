//! What is kept of each step besides its history: the order it was given.

use jiff::Timestamp;
use proto::{RunId, StepId, StepSpec};
use serde::{Deserialize, Serialize};

use crate::durable::{self, Disk, StateError};
use crate::state::StateDir;

/// The file in a step's directory that holds its order.
const SPEC: &str = "spec.json";
/// The file in a step's directory that holds its history.
const EVENTS: &str = "events";

/// The order of one step, written before anything else; only what it expects of the node is ever changed, and only before it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step.
    pub step: StepId,
    /// The run that ordered it.
    pub run: RunId,
    /// What it is to do.
    pub spec: StepSpec,
    /// When it was first ordered.
    pub accepted_at: Timestamp,
}

impl StepRecord {
    /// The order of a step; `None` if there was none.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn read(state: &StateDir, step: &StepId) -> Result<Option<Self>, StateError> {
        durable::read_json(&state.step(step).join(SPEC))
    }

    /// Makes the step's directory and writes the order.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn write(&self, state: &StateDir, disk: &Disk) -> Result<(), StateError> {
        let dir = state.step(&self.step);
        disk.make_private_dir(&dir)?;
        disk.write_json(&dir.join(SPEC), self)
    }
}

/// Where a step's history is.
pub fn events_file(state: &StateDir, step: &StepId) -> std::path::PathBuf {
    state.step(step).join(EVENTS)
}

/// The ids of all steps that this node was ever ordered, sorted.
///
/// # Errors
/// [`StateError::Io`].
pub fn all_steps(state: &StateDir) -> Result<Vec<StepId>, StateError> {
    let dir = state.steps();
    let entries = std::fs::read_dir(&dir).map_err(StateError::io("list", &dir))?;
    let mut steps: Vec<StepId> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    steps.sort();
    Ok(steps)
}
