//! `ratchet rollout watch NAME`.
//!
//! Under `-o json`: a `ratchet.rollout-watch/1` a line, and last the `ratchet.rollout/1`.

use proto::Failure;

use super::follow;
use super::which::Which;
use crate::cli::Exit;
use crate::cli::context::Context;

/// Arguments of `rollout watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let name = self.which.name()?;
        let client = context.client().await?;
        follow::listen(context)?;
        let document = client.show_rollout(name).await?.document;
        follow::follow(context, &client, document, None).await
    }
}
