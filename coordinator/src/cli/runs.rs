//! `ratchet runs`.

use proto::Failure;

use super::context::Context;
use super::{Exit, render};

/// Arguments of `runs`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.runs().await?;
        context.out.answer(&answer, render::runs)?;
        Ok(Exit::Done)
    }
}
