//! The journals that agents keep of a run's steps: their side of the story.

use futures::future::join_all;
use proto::{Failure, RunId};

use super::Core;
use crate::documents::{AgentJournalRow, agent_journal};

impl Core {
    /// Asks all agents of a run at once. One that does not answer is part of the answer.
    pub(super) async fn agents_journals(&self, run: &RunId) -> Result<Vec<AgentJournalRow>, Failure> {
        let (run, _) = self.load(run).await?;
        let asked = run.plan.nodes.iter().map(|node| async {
            let answer = self.world.agents.histories(&node.agent, &run.id).await;
            agent_journal(node.uid, &node.agent, answer)
        });
        Ok(join_all(asked).await)
    }
}
