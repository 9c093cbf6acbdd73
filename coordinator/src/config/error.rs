//! What can be wrong with a configuration, all at once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use proto::Failure;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration {} is not TOML", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where it stops being TOML.
        line: usize,
        /// Why. The text of the line is no part of it: it may hold a password.
        reason: String,
    },
    /// The file is TOML and says something wrong.
    #[error("the configuration {} has {}", path.display(), count(mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong with it.
        mistakes: Vec<Mistake>,
    },
}

impl ConfigError {
    /// That a text is not TOML, without the text.
    pub fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Self::Syntax { path: path.to_owned(), line, reason: error.message().to_owned() }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, with its place: `cluster[1].agents[0]`.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.key, self.reason, self.remedy)
    }
}

fn count(mistakes: &[Mistake]) -> String {
    if mistakes.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        let failure = |remedy: &str| Self::operator("configuration", message.clone(), remedy);
        match error {
            ConfigError::Unreadable { path, source } => failure(&format!(
                "create {} (the commented default shows every key) or name another file with --config",
                path.display()
            ))
            .because(source.to_string()),
            ConfigError::Syntax { line, reason, .. } => {
                failure("correct the file at that place").because(format!("line {line}: {reason}"))
            }
            ConfigError::Mistakes { mistakes, .. } => {
                let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
                failure("correct the file; every key is explained in the commented default")
                    .because(lines.join("\n"))
            }
        }
    }
}
