//! Turning errors into failures: data that a coordinator shows to a person.

use std::error::Error;

use proto::Failure;

use crate::durable::StateError;

/// An error and every source below it in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line.push_str(": ");
        line.push_str(&source.to_string());
        next = source.source();
    }
    line
}

/// What the agent's own disk or files did to a step.
pub fn of_state(error: &StateError) -> Failure {
    let (id, remedy) = match error {
        StateError::Io { path, .. } if error.is_disk_full() => {
            ("disk-full", format!("make room on the file system of {}", path.display()))
        }
        StateError::Io { path, .. } => {
            ("state-dir", format!("see that {} exists and that the agent may write there", path.display()))
        }
        StateError::Damaged { path, .. } => {
            ("state-damaged", format!("look at {} and restore or remove it", path.display()))
        }
        StateError::Format { .. } | StateError::Record { .. } => {
            let remedy = "install the version of ratchet-agent that wrote it, or a later one";
            ("state-format", remedy.to_owned())
        }
    };
    let cause = error.source().map(chain);
    Failure { cause, ..Failure::operator(id, error.to_string(), remedy) }
}

impl From<StateError> for Box<Failure> {
    fn from(error: StateError) -> Self {
        Box::new(of_state(&error))
    }
}
