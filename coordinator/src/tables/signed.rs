//! The fleet owner's signed catalogue, as it is in its file whenever it matters: a new one takes effect without a restart.

use std::path::{Path, PathBuf};

use proto::{Failure, OwnedCatalogue, SignedCatalogue};

use crate::catalogue::OwnersWord;
use crate::config::CatalogueConfig;

/// Where the signed catalogue is, if there is one.
#[derive(Clone, Debug, Default)]
pub struct SignedFile(Option<CatalogueConfig>);

impl SignedFile {
    /// The one that a configuration names.
    pub fn of(config: Option<&CatalogueConfig>) -> Self {
        Self(config.cloned())
    }

    /// The catalogue and its signature as they are now; `None` where the configuration names none. Blocks.
    ///
    /// # Errors
    /// One of the two files cannot be read.
    pub fn read(&self) -> Result<Option<SignedCatalogue>, Failure> {
        let Some(config) = &self.0 else { return Ok(None) };
        let signature = signature_of(&config.file);
        Ok(Some(SignedCatalogue { catalogue: text(&config.file)?, signature: text(&signature)? }))
    }

    /// What the owner says, as far as it can be told here; `None` where the configuration names no catalogue. Blocks.
    pub fn word(&self) -> Option<OwnersWord> {
        let config = self.0.as_ref()?;
        let read = self.read().map_err(|failure| failure.to_string());
        Some(read.and_then(|signed| {
            let signed = signed.ok_or("there is none")?;
            let parsed = match config.keys.as_slice() {
                [] => OwnedCatalogue::parse(&signed.catalogue),
                keys => signed.verify(keys),
            };
            parsed.map_err(|error| format!("{}: {error}", config.file.display()))
        }))
    }
}

/// The signature lies beside what it signs.
pub fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

fn text(path: &Path) -> Result<String, Failure> {
    let remedy =
        "sign it: ratchet catalogue sign FILE --secret KEY; or correct `file` in [catalogue] of ratchet.toml";
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the signed catalogue's {} cannot be read", path.display());
        Failure::operator("no-catalogue", message, remedy).because(error.to_string())
    })
}
