//! `ratchet pki accept NAME`.

use std::path::PathBuf;

use proto::Failure;

use super::common::read;
use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `pki accept`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node, by its name or by the id of its token
    #[arg(value_name = "NAME")]
    subject: String,
    /// Its certificate, where it was made elsewhere: ratchet pki sign
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let certificate = self.certificate.as_deref().map(read).transpose()?;
        let answer =
            context.client().await?.decide_enrolment(self.subject.clone(), true, certificate).await?;
        context.out.answer(&answer, render::enrolment)?;
        Ok(Exit::Done)
    }
}
