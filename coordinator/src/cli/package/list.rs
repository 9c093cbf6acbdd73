//! `ratchet package list`.

use proto::Failure;

use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `package list`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.list_packages().await?;
        context.out.answer(&answer, render::packages)?;
        Ok(Exit::Done)
    }
}
