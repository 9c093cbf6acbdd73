//! Observing a cluster: asking all its agents at once.

use futures::future::join_all;
use proto::wire::Observe;
use proto::{Clock, ClusterName};

use crate::agents::Agents;
use crate::snapshot::{AgentReport, Snapshot};

/// What all agents of a cluster say now. An agent that does not answer is part of the answer.
pub async fn observe(
    agents: &Agents,
    cluster: &ClusterName,
    addresses: &[String],
    request: &Observe,
    clock: &Clock,
) -> Snapshot {
    let answers = addresses.iter().map(|address| async {
        let answer = agents.observe(address, request).await;
        AgentReport { address: address.clone(), received_at: clock.now(), answer }
    });
    let agents = join_all(answers).await;
    Snapshot { at: clock.now(), cluster: cluster.clone(), agents }
}
