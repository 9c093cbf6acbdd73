//! `ratchet status [CLUSTER…]`.

use proto::{ClusterName, Failure};

use super::context::Context;
use super::{Exit, render};
use crate::documents::StatusDocument;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Clusters to look at; all of the configuration if none is named
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<ClusterName>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let clusters = self.clusters.iter().map(ToString::to_string).collect();
        let answer = context.client().await?.status(clusters).await?;
        if let Some(warning) = context.expiring(answer.document.at)? {
            context.out.tell(&warning);
        }
        context.out.answer(&answer, render::status)?;
        Ok(exit(&answer.document))
    }
}

/// A health nobody could see is not a success (promise P5); a cluster that is not OK is still a status well
/// told.
fn exit(status: &StatusDocument) -> Exit {
    let reached = |cluster: &crate::documents::ClusterRow| cluster.nodes.iter().all(|node| node.reachable);
    if status.clusters.iter().all(reached) { Exit::Done } else { Exit::Unreachable }
}
