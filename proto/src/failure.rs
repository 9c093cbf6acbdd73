//! What went wrong, in words that let somebody act.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It may go away by itself: trying again is right.
    Retry,
    /// A person has to act; the remedy says how.
    Operator,
    /// Ratchet is at fault.
    Bug,
}

/// A failed step, probe or check: data, not an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who can act on it.
    pub kind: FailureKind,
    /// A stable word for programs, for instance `disk-full`.
    pub id: String,
    /// What failed, naming the thing.
    pub message: String,
    /// Why, where it is known.
    pub cause: Option<String>,
    /// What to do about it, best as a command.
    pub remedy: Option<String>,
    /// The program that failed, if one did.
    pub program: Option<ProgramFailure>,
}

/// How a program ended, with enough of its output to see why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFailure {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// How it ended: `exit status: 1`, `signal: 9`, `no answer within 30 s`.
    pub status: String,
    /// The last lines it printed.
    pub tail: Vec<String>,
}

impl Failure {
    /// A failure that a person has to act on.
    pub fn operator(id: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(FailureKind::Operator, id, message) }
    }

    /// A failure that may go away by itself.
    pub fn retry(id: &str, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Retry, id, message)
    }

    /// A failure that is Ratchet's own fault.
    pub fn bug(message: impl Into<String>) -> Self {
        let remedy =
            "report it with the output of `ratchet show RUN --events` and the agent's log".to_owned();
        Self { remedy: Some(remedy), ..Self::new(FailureKind::Bug, "bug", message) }
    }

    /// Adds why it failed.
    pub fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    fn new(kind: FailureKind, id: &str, message: impl Into<String>) -> Self {
        Self { kind, id: id.to_owned(), message: message.into(), cause: None, remedy: None, program: None }
    }
}

/// One line: what failed and why.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}
