//! `ratchet watch RUN`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, follow};

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`
    run: RunId,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        follow::listen(context)?;
        let run = client.show(self.run.to_string(), false, false).await?.document;
        follow::looking_on(context, &client, run).await
    }
}
