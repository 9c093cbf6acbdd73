//! `ratchet takeover CLUSTER [--yes] [--despite-install]`.

use proto::{ClusterName, Failure};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `takeover`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster to take over
    cluster: ClusterName,
    /// Do it; without this it is only shown who holds what, and what would be done
    #[arg(long)]
    yes: bool,
    /// Do it although an install is at work on a node
    #[arg(long, requires = "yes")]
    despite_install: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        let answer =
            client.take_over_cluster(self.cluster.to_string(), self.yes, self.despite_install).await?;
        context.out.answer(&answer, render::takeover)?;
        Ok(Exit::of_code(answer.document.exit_code))
    }
}
