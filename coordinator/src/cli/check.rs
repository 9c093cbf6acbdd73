//! `ratchet check CLUSTER [--to V]`.

use proto::{ClusterName, Failure, Version};

use super::accept::Accept;
use super::context::Context;
use super::{Exit, render};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster to check
    cluster: ClusterName,
    /// The version it is to be upgraded to: X.Y.Z-B
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,

    #[command(flatten)]
    accept: Accept,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let to = self.to.map(|version| version.to_string());
        let answer = context.client().await?.check(self.cluster.to_string(), to, self.accept.wire()).await?;
        context.out.answer(&answer, render::check)?;
        Ok(if answer.document.passed { Exit::Done } else { Exit::Blocked })
    }
}
