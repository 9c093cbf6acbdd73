//! `ratchet pause RUN`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `pause`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run to pause, as in `ratchet runs`
    run: RunId,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.pause(self.run.to_string()).await?;
        context.out.answer(&answer, render::run_brief)?;
        Ok(Exit::Done)
    }
}
