//! Where the table came from.

use std::fmt;
use std::path::PathBuf;

/// Where the table came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program was built with it.
    BuiltIn,
    /// The operator named a file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
