//! `ratchet pki enrolments`.

use proto::Failure;

use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `pki enrolments`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.enrolments().await?;
        context.out.answer(&answer, render::enrolments)?;
        Ok(Exit::Done)
    }
}
