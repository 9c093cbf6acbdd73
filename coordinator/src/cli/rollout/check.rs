//! `ratchet rollout check FILE`.

use std::path::PathBuf;

use proto::Failure;

use super::which::text;
use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `rollout check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rollout's file
    file: PathBuf,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let text = text(&self.file)?;
        let answer = context.client().await?.check_rollout(text).await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |document| render::rollout_check(document, &zone))?;
        Ok(Exit::Done)
    }
}
