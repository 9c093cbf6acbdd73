//! `ratchet prepare CLUSTER --to V`.

use proto::{ClusterName, Failure, Version};

use super::Exit;
use super::accept::Accept;
use super::context::Context;
use super::start::{Planned, make_plan, start};

/// Arguments of `prepare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster to prepare
    cluster: ClusterName,
    /// The version it is to be upgraded to: X.Y.Z-B
    #[arg(long, value_name = "VERSION")]
    to: Version,

    #[command(flatten)]
    accept: Accept,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        match make_plan(context, &client, &self.cluster, self.to, &self.accept, false).await? {
            Planned::Ready(plan) => start(context, &client, &plan, true).await,
            Planned::Over(exit) => Ok(exit),
        }
    }
}
