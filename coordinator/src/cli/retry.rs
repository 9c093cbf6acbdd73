//! `ratchet retry RUN [--node UID]`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, follow};

/// Arguments of `retry`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`
    run: RunId,
    /// The uid of the node to try again; whatever failed if it is not given
    #[arg(long, value_name = "UID")]
    node: Option<u32>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        follow::listen(context)?;
        let from = follow::end_of(&client, &self.run).await?;
        let run = follow::answered(context, client.retry(self.run.to_string(), self.node)).await?.document;
        follow::driving(context, &client, run, from).await
    }
}
