//! `ratchet inventory`.

use proto::Failure;

use super::context::Context;
use super::{Exit, render};

/// Arguments of `inventory`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.inventory().await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |document| render::inventory(document, &zone))?;
        Ok(Exit::Done)
    }
}
