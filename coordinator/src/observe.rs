//! Observing a cluster: asking all its agents at once.

use futures::future::join_all;
use jiff::Timestamp;
use proto::ClusterName;
use proto::wire::Observe;

use crate::agents::Agents;
use crate::snapshot::{AgentReport, Snapshot};

/// What all agents of a cluster say now. An agent that does not answer is part of the answer.
pub async fn observe(
    agents: &Agents,
    cluster: &ClusterName,
    addresses: &[String],
    request: &Observe,
) -> Snapshot {
    let answers = addresses.iter().map(|address| async {
        let answer = agents.observe(address, request).await;
        AgentReport { address: address.clone(), received_at: Timestamp::now(), answer }
    });
    let agents = join_all(answers).await;
    Snapshot { at: Timestamp::now(), cluster: cluster.clone(), agents }
}
