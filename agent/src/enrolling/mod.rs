//! How a node gets its certificate with a token, and later a new one: its key is made here and never leaves.

mod args;
mod asking;
mod granted;
mod key;
mod layout;
mod renewing;
mod verbs;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use proto::Failure;

pub use args::{EnrollArgs, RenewArgs};
pub use asking::{Node, Tell};
pub use layout::Home;
pub use verbs::{enroll, renew};

use crate::durable::StateError;
use crate::failures::chain;

/// Why a node has no certificate, or no new one.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] StateError),
    /// It has one.
    #[error(
        "{} is there already, and it is not overwritten: a new certificate for the same node is made by `ratchet-agent \
         renew`; to enrol anew, move it away or name another directory with --out", .0.display()
    )]
    Enrolled(PathBuf),
    /// The key of an enrolment that was cut off cannot be used.
    #[error("{} is no private key; remove it, and have a new token made: ratchet pki token", .0.display())]
    Key(PathBuf),
    /// The machine cannot make a key or a request.
    #[error("no key can be made")]
    Crypto(#[source] rcgen::Error),
    /// The coordinator says no, or nobody answers.
    #[error("{}{}", .0, .0.remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default())]
    Refused(Box<Failure>),
    /// What was answered is not what was asked for. Nothing of it was kept.
    #[error("the coordinator's answer is not used: {0}; look into who answers at that address")]
    Answer(String),
    /// Nobody has decided in time.
    #[error(
        "nobody has decided within the time of --wait: {0}; run the same command again to go on waiting, with the same \
         key"
    )]
    Waited(String),
    /// The certificate in the configuration cannot be renewed.
    #[error("{0}")]
    Unfit(String),
}

impl EnrolError {
    fn refused(failure: Failure) -> Self {
        Self::Refused(Box::new(failure))
    }

    fn answer(cause: impl ToString) -> Self {
        Self::Answer(cause.to_string())
    }

    /// The message and every source below it in one line.
    pub fn full(&self) -> String {
        chain(self)
    }
}
