//! `ratchet resume RUN`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, follow};

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run to go on with, as in `ratchet runs`
    run: RunId,

    /// The change of the cluster's configuration that paused the run is meant
    #[arg(long)]
    acknowledge: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        follow::listen(context)?;
        let from = follow::end_of(&client, &self.run).await?;
        let run =
            follow::answered(context, client.resume(self.run.to_string(), self.acknowledge)).await?.document;
        follow::driving(context, &client, run, from).await
    }
}
