//! `rollout.toml`, read into values that need no further checking.

mod top;
mod values;
mod waves;
mod windows;

use std::path::Path;

use super::Spec;
use crate::config::ConfigError;

/// The rollout that a file describes; `path` is for the error only.
///
/// # Errors
/// It is not TOML, or says something wrong; then all mistakes are in the error.
pub fn parse_rollout(text: &str, path: &Path) -> Result<Spec, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error| ConfigError::syntax(path, text, &error))?;
    top::rollout(table).map_err(|mistakes| ConfigError::Mistakes { path: path.to_owned(), mistakes })
}
