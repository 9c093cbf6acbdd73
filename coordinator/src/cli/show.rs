//! `ratchet show RUN [--events]`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`
    run: RunId,
    /// Tell all its events too, and what the nodes' agents have written down of it
    #[arg(long)]
    events: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.show(self.run.to_string(), self.events, self.events).await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |run| render::run(run, &zone))?;
        Ok(Exit::Done)
    }
}
