//! `ratchet rollout retry NAME [CLUSTER]`.

use proto::{ClusterName, Failure, pb};

use super::which::Which;
use super::{ask, request};
use crate::cli::Exit;
use crate::cli::context::Context;

/// Arguments of `rollout retry`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// The cluster to take up again [default: all that failed]
    cluster: Option<ClusterName>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let cluster = self.cluster.as_ref().map(ToString::to_string);
        let request = request(self.which.name()?, "retry");
        ask(context, pb::AskRolloutRequest { cluster, ..request }).await
    }
}
