//! `ratchet pki revoke NAME|SERIAL --reason TEXT`.

use jiff::Timestamp;
use proto::Failure;

use super::common::{Dir, answer};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::{CertificateRow, Document, RevokedDocument};
use crate::pki::Authority;

/// Arguments of `pki revoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose certificates, all of them: NAME, or ROLE/NAME where several roles have the name; or one by its serial number
    #[arg(value_name = "NAME|SERIAL")]
    subject: String,
    /// Why; it stays in the authority's register
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    dir: Dir,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let now = Timestamp::now();
        let mut authority = Authority::open(&self.dir.dir, now)?;
        let revoked = authority.revoke(&self.subject, &self.reason, now)?;
        let document = RevokedDocument {
            schema: RevokedDocument::SCHEMA.to_owned(),
            certificates: revoked.iter().map(|issued| CertificateRow::of(issued, now)).collect(),
            crl: self.dir.dir.join("crl.pem").display().to_string(),
            number: authority.register().revocations,
        };
        answer(context, document, render::revoked)?;
        Ok(Exit::Done)
    }
}
