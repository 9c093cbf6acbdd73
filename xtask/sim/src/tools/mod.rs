//! What the vendor's tools print, as pure functions of the model.

mod info;
mod modules;
pub mod rladmin;
pub mod rlcheck;
mod status;
pub mod supervisorctl;
mod table;

use serde::{Deserialize, Serialize};

/// What a tool printed and its exit status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit status.
    pub code: u8,
}

impl Output {
    /// Success with this text.
    pub fn ok(stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }

    /// Failure with this text on standard output, where the vendor's tools put their errors.
    pub fn fail(code: u8, stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), code, ..Self::default() }
    }
}
