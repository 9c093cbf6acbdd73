//! `ratchet pki list`.

use jiff::Timestamp;
use proto::Failure;

use super::common::{Dir, answer};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::{CertificateRow, CertificatesDocument, Document};
use crate::pki::Register;

/// Arguments of `pki list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    dir: Dir,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let (register, at) = (Register::read(&self.dir.dir)?, Timestamp::now());
        let document = CertificatesDocument {
            schema: CertificatesDocument::SCHEMA.to_owned(),
            at,
            fleet: register.fleet.to_string(),
            directory: self.dir.dir.display().to_string(),
            certificates: register.certificates.iter().map(|issued| CertificateRow::of(issued, at)).collect(),
        };
        answer(context, document, render::certificates)?;
        Ok(Exit::Done)
    }
}
