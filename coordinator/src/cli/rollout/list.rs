//! `ratchet rollout list`.

use proto::Failure;

use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `rollout list`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.rollouts().await?;
        context.out.answer(&answer, render::rollouts)?;
        Ok(Exit::Done)
    }
}
