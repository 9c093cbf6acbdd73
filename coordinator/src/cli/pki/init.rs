//! `ratchet pki init --fleet NAME`.

use jiff::Timestamp;
use proto::{Failure, FleetName};

use super::common::{Dir, answer, days};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::{AuthorityDocument, Document};
use crate::pki;

/// Arguments of `pki init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The fleet that belongs together: nobody obeys or believes somebody of another one
    #[arg(long, value_name = "NAME")]
    fleet: FleetName,
    #[command(flatten)]
    dir: Dir,
    /// For how many days the authority is valid
    #[arg(long, default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let founded = pki::found(&self.dir.dir, &self.fleet, days(self.days), Timestamp::now())?;
        let document = AuthorityDocument {
            schema: AuthorityDocument::SCHEMA.to_owned(),
            fleet: self.fleet.to_string(),
            directory: founded.dir.display().to_string(),
            key_sha256: founded.pin.to_string(),
            not_after: founded.not_after,
        };
        answer(context, document, render::authority)?;
        Ok(Exit::Done)
    }
}
