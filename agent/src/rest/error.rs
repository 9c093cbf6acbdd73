//! Why the product's REST API gave no answer.

use std::path::PathBuf;

/// A question to the REST API without a usable answer. None of these means that something is fine. None holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// The operator gave no credential.
    #[error("the agent has no viewer credential for the product's REST API: add [rest] to agent.toml")]
    NoCredential,
    /// The password's file cannot be used.
    #[error("the password of [rest] cannot be used: {}: {reason}", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// Why, with the remedy.
        reason: String,
    },
    /// Nobody says which certificate is the right one.
    #[error(
        "nothing says which certificate the product's REST API shows: set `certificate` in [rest] of agent.toml to a \
         PEM file with it"
    )]
    NoCertificate,
    /// The file that says so cannot be used.
    #[error("`certificate` of [rest] cannot be used: {}: {reason}; give a PEM file with the API's certificate", file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no connection, or it broke off, or it is with somebody who is not trusted.
    #[error("the product's REST API does not answer GET {path}: {reason}")]
    NoAnswer {
        /// What was asked for.
        path: String,
        /// Why.
        reason: String,
    },
    /// It sends the agent to somebody who must not see the credential.
    #[error("GET {path} is not answered by this node: it redirects to {to}, {reason}")]
    Redirect {
        /// What was asked for.
        path: String,
        /// Where it redirects to.
        to: String,
        /// Why that is not followed.
        reason: &'static str,
    },
    /// The credential does not suffice.
    #[error("the product's REST API answered {status} to GET {path}: {reason}")]
    Denied {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// What is missing.
        reason: &'static str,
    },
    /// This version has no such question.
    #[error("this version of the product does not know GET {path}: it answered {status}")]
    Unsupported {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
    },
    /// Something else than an answer.
    #[error("the product's REST API answered {status} to GET {path}{reason}")]
    Status {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// What that means, where it is known; with its own punctuation.
        reason: &'static str,
    },
    /// An answer that cannot be read.
    #[error("what the product's REST API answered to GET {path} cannot be used: {reason}")]
    Unreadable {
        /// What was asked for.
        path: String,
        /// Why.
        reason: String,
    },
}
