//! `ratchet assign AGENT CLUSTER|--none`.

use proto::{AgentName, ClusterName, Failure};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `assign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent, by the name under which it connects
    agent: AgentName,
    /// The cluster that it is put in
    #[arg(required_unless_present = "none", conflicts_with = "none")]
    cluster: Option<ClusterName>,
    /// Take it out of its cluster instead, whatever rules in the coordinator's configuration say
    #[arg(long)]
    none: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        let cluster = self.cluster.as_ref().map(ToString::to_string);
        let answer = client.assign_agent(self.agent.to_string(), cluster).await?;
        context.out.answer(&answer, render::assigned)?;
        Ok(Exit::Done)
    }
}
