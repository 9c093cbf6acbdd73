//! `ratchet catalogue verify FILE --key KEY`.

use std::path::PathBuf;

use jiff::Timestamp;
use proto::{Failure, OwnerKey, SignedCatalogue};

use super::files;
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::CatalogueDocument;
use crate::tables::signature_of;

/// Arguments of `catalogue verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue; its signature is beside it, with .minisig after its name
    file: PathBuf,
    /// A public key: what begins with RW, or the file with it. Several may be named
    #[arg(long, value_name = "KEY|FILE", required = true)]
    key: Vec<String>,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let keys = self.key.iter().map(|key| owner_key(key)).collect::<Result<Vec<_>, _>>()?;
        let beside = signature_of(&self.file);
        let signed =
            SignedCatalogue { catalogue: files::read(&self.file)?, signature: files::read(&beside)? };
        let catalogue = signed.verify(&keys).map_err(|error| files::no_catalogue(&self.file, &error))?;
        if catalogue.expires <= Timestamp::now() {
            let message = format!("{} is signed, and expired at {}", self.file.display(), catalogue.expires);
            let remedy = "make it anew: ratchet catalogue new FILE; ratchet catalogue sign FILE --secret KEY";
            return Err(Failure::operator("catalogue", message, remedy));
        }
        let (file, beside) = (self.file.display().to_string(), beside.display().to_string());
        files::answer(
            context,
            &CatalogueDocument::of(&catalogue, file, Some(beside), true),
            render::catalogue,
        )?;
        Ok(Exit::Done)
    }
}

/// A key as it is printed, or the file that holds it.
fn owner_key(text: &str) -> Result<OwnerKey, Failure> {
    if let Ok(key) = OwnerKey::parse(text) {
        return Ok(key);
    }
    let path = PathBuf::from(text);
    OwnerKey::parse(&files::read(&path)?).map_err(|error| {
        let remedy = "name the public key: what begins with RW, or the file with it";
        Failure::operator("usage", format!("{text} holds no public key"), remedy).because(error.to_string())
    })
}
