//! Which rollout: by its name, or by its file.

use std::path::Path;

use proto::Failure;

/// Which rollout.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// The rollout, by its name or by its file
    #[arg(value_name = "NAME|FILE")]
    rollout: String,
}

impl Which {
    /// Its name.
    ///
    /// # Errors
    /// It is a file that cannot be read, or that names no rollout.
    pub(super) fn name(&self) -> Result<String, Failure> {
        name(&self.rollout)
    }
}

/// The name of a rollout that is given by its name or by its file.
pub(super) fn name(rollout: &str) -> Result<String, Failure> {
    if !Path::new(rollout).is_file() {
        return Ok(rollout.to_owned());
    }
    let table: Option<toml::Table> = text(Path::new(rollout))?.parse().ok();
    let name = table.and_then(|table| table.get("name").and_then(toml::Value::as_str).map(str::to_owned));
    name.ok_or_else(|| {
        let message = format!("{rollout} names no rollout");
        Failure::operator("usage", message, format!("ratchet rollout check {rollout}"))
    })
}

/// A rollout's file as it is.
///
/// # Errors
/// It cannot be read.
pub(super) fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        let message = format!("the rollout's file {} cannot be read", file.display());
        Failure::operator("usage", message, "name a file in the format of docs/rollouts.md")
            .because(error.to_string())
    })
}
