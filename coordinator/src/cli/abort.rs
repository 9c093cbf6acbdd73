//! `ratchet abort RUN`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `abort`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run to end, as in `ratchet runs`
    run: RunId,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.abort(self.run.to_string()).await?;
        context.out.answer(&answer, render::run_brief)?;
        Ok(Exit::Done)
    }
}
