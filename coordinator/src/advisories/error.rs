//! What can be wrong with advisories, all at once.

use std::fmt;
use std::path::{Path, PathBuf};

use proto::Failure;

/// Why advisories cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryError {
    /// The text is not TOML.
    #[error("{} are not TOML", the_advisories(path))]
    Syntax {
        /// The operator's file; `None` for the built-in ones.
        path: Option<PathBuf>,
        /// Where it stops being TOML.
        source: Box<toml::de::Error>,
    },
    /// The text is TOML and says something wrong.
    #[error("{} have {}", the_advisories(path), count(mistakes))]
    Mistakes {
        /// The operator's file; `None` for the built-in ones.
        path: Option<PathBuf>,
        /// Everything that is wrong.
        mistakes: Vec<Mistake>,
    },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The advisory, or its place in the file.
    pub of: String,
    /// What is wrong with it, and what to write.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.what)
    }
}

fn the_advisories(path: &Option<PathBuf>) -> String {
    match path {
        Some(path) => format!("the advisories {}", path.display()),
        None => "the built-in advisories".to_owned(),
    }
}

fn count(mistakes: &[Mistake]) -> String {
    if mistakes.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) }
}

impl AdvisoryError {
    /// The operator's file; `None` for the built-in ones.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Syntax { path, .. } | Self::Mistakes { path, .. } => path.as_deref(),
        }
    }

    /// What is wrong, one mistake a line.
    fn cause(&self) -> String {
        match self {
            Self::Syntax { source, .. } => source.to_string().trim_end().to_owned(),
            Self::Mistakes { mistakes, .. } => {
                mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

impl From<AdvisoryError> for Failure {
    fn from(error: AdvisoryError) -> Self {
        let failure = match error.path() {
            None => Self::bug(error.to_string()),
            Some(path) => {
                let remedy = format!("correct {}, or take `advisories` out of ratchet.toml", path.display());
                Self::operator("configuration", error.to_string(), remedy)
            }
        };
        failure.because(error.cause())
    }
}
