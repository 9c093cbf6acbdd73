//! `ratchet rollout status [NAME|FILE]`.

use proto::Failure;

use super::which;
use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `rollout status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rollout, by its name or by its file [default: all of them, in brief]
    #[arg(value_name = "NAME|FILE")]
    rollout: Option<String>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let name = self.rollout.as_deref().map(which::name).transpose()?;
        let client = context.client().await?;
        let Some(name) = name else {
            let answer = client.rollouts().await?;
            context.out.answer(&answer, render::rollouts)?;
            return Ok(Exit::Done);
        };
        let answer = client.show_rollout(name).await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |document| render::rollout(document, &zone))?;
        Ok(Exit::Done)
    }
}
