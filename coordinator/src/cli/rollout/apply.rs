//! `ratchet rollout apply FILE [--detach]`.
//!
//! Under `-o json`: a `ratchet.rollout-watch/1` a line, and last the `ratchet.rollout/1`; with `--detach` only that.

use std::path::PathBuf;

use proto::Failure;

use super::follow;
use super::which::text;
use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `rollout apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rollout's file
    file: PathBuf,
    /// Do not follow it: a coordinator that serves carries it out
    #[arg(long)]
    detach: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        if self.detach && context.is_embedded() {
            let message = "nobody would carry the rollout out after this command";
            let remedy = "ratchet --coordinator HOST:PORT rollout apply FILE --detach; or leave out --detach";
            return Err(Failure::operator("usage", message, remedy));
        }
        let text = text(&self.file)?;
        let client = context.client().await?;
        // From here on Ctrl-C must not end the process: it may be carrying the rollout out.
        follow::listen(context)?;
        let answer = client.apply_rollout(text).await?;
        if self.detach {
            context.out.answer(&answer, |document| render::rollout_brief(&document.brief))?;
            return Ok(follow::exit_detached(&answer.document.brief));
        }
        let carries_out =
            context.is_embedded().then(|| format!("ratchet rollout apply {}", self.file.display()));
        follow::follow(context, &client, answer.document, carries_out).await
    }
}
