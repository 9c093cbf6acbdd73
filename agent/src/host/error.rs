//! Why the product could not be asked, or its answer not be used.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use proto::ProgramFailure;

use crate::parse::Unreadable;
use crate::parse::status::StatusError;

/// A question to the product that got no usable answer. None of these means that something is fine (promise P5).
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A program could not be started, failed, or did not answer in time.
    #[error("`{}` gave no answer: {}{}", .0.argv.join(" "), .0.status, last_words(.0))]
    Program(ProgramFailure),
    /// This version of the product does not know the command.
    #[error("this version of the product does not know `{command}`: `{answer}`")]
    Unsupported {
        /// The command.
        command: String,
        /// What it answered.
        answer: String,
    },
    /// The node is in no cluster: `rladmin` knows no `status` then (fact sheet §3.8).
    #[error("this node is in no cluster: rladmin answered `{0}`")]
    NotInCluster(String),
    /// `rladmin status` said something that cannot be relied on.
    #[error("the output of `rladmin status extra all` cannot be used")]
    Status(#[source] StatusError),
    /// Another command or file said something that cannot be relied on.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no installation to be asked.
    #[error("Redis Enterprise is not installed here: there is no {}", .0.display())]
    NotInstalled(PathBuf),
    /// A file of the product is there and cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl HostError {
    /// Whether a program turned the question down by itself, rather than hang, die or say something unreadable.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Unsupported { .. } => true,
            Self::Program(failure) => failure.status.starts_with("exit status"),
            _ => false,
        }
    }
}

/// The last line a failed program printed, which most often says why.
fn last_words(failure: &ProgramFailure) -> String {
    failure.tail.last().map(|line| format!(" (`{line}`)")).unwrap_or_default()
}

/// An error with all its causes on one line: sources are never part of a message itself.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
