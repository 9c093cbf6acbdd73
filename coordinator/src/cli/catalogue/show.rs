//! `ratchet catalogue show FILE`.

use std::path::PathBuf;

use proto::Failure;

use super::files;
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::CatalogueDocument;
use crate::tables::signature_of;

/// Arguments of `catalogue show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue
    file: PathBuf,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let catalogue = files::parsed(&files::read(&self.file)?, &self.file)?;
        let beside = signature_of(&self.file);
        let signature = beside.exists().then(|| beside.display().to_string());
        let file = self.file.display().to_string();
        files::answer(
            context,
            &CatalogueDocument::of(&catalogue, file, signature, false),
            render::catalogue,
        )?;
        Ok(Exit::Done)
    }
}
