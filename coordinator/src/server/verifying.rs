//! `report --verify`: whether a journal is what was written.

use futures::future::join_all;
use proto::{Failure, RolloutName, RunId, Sha256};

use super::Core;
use crate::documents::{AgreementRow, JournaledSteps, MisfitRow, VerificationDocument};
use crate::run::Run;
use crate::store::chain::Owner;

impl Core {
    /// Follows the chain of a run's journal, or a rollout's. A journal that cannot be read in any other way is followed all
    /// the same.
    ///
    /// # Errors
    /// There is no such run or rollout, or the store failed.
    pub(super) async fn verify(
        &self,
        key: &str,
        kept: Option<Sha256>,
    ) -> Result<VerificationDocument, Failure> {
        match (self.find(key).await, self.rollout_of(key).await?) {
            (Ok(listing), _) => self.verify_run(&listing.id, kept).await,
            (Err(_), Some(rollout)) => {
                let events = self.store().verbatim_rollout(&rollout).await?;
                let document = VerificationDocument::of_chain(Owner::rollout(&rollout), &events);
                Ok(compared(document, kept, &events))
            }
            (Err(failure), None) => Err(failure),
        }
    }

    async fn rollout_of(&self, key: &str) -> Result<Option<RolloutName>, Failure> {
        Ok(self.store().rollouts().await?.into_iter().find(|rollout| rollout.as_str() == key))
    }

    async fn verify_run(&self, run: &RunId, kept: Option<Sha256>) -> Result<VerificationDocument, Failure> {
        // Agents first: what they were ordered to do until then must be in a journal that is read after that.
        let told = match self.load(run).await {
            Ok((state, _)) => Some(self.told_by_agents(&state).await),
            Err(unreadable) => {
                tracing::warn!(%run, %unreadable, "no agent is asked about a journal that cannot be read");
                None
            }
        };
        let events = self.store().verbatim(run).await?;
        let document = VerificationDocument::of_run(run, &events);
        let document = match self.of_another_cluster(run).await? {
            Some(misfit) => document.with_misfit(misfit),
            None => document,
        };
        let document = compared(document, kept, &events);
        match told {
            Some(told) => Ok(document.with_agents(self.agreements(run, told).await?)),
            None => Ok(document),
        }
    }

    async fn told_by_agents(&self, run: &Run) -> Vec<Told> {
        let asked = run.plan.nodes.iter().map(|node| async {
            let answer = self.world.agents.histories(&node.agent, &run.id).await;
            Told { node: node.uid, address: node.agent.clone(), answer }
        });
        join_all(asked).await
    }

    async fn agreements(&self, run: &RunId, told: Vec<Told>) -> Result<Vec<AgreementRow>, Failure> {
        let Ok(records) = self.store().journal(run, 1).await else { return Ok(Vec::new()) };
        let steps = JournaledSteps::of(&records);
        Ok(told.into_iter().map(|told| steps.agreement(told.node, &told.address, told.answer)).collect())
    }

    /// The list of runs is not chained: whose cluster a run is says its first event.
    async fn of_another_cluster(&self, run: &RunId) -> Result<Option<MisfitRow>, Failure> {
        let listed = self.find(run.as_str()).await?.cluster;
        let Ok((state, _)) = self.load(run).await else { return Ok(None) };
        let why = format!("the run is listed for {listed}, and its plan is for {}", state.plan.cluster);
        Ok((listed != state.plan.cluster).then_some(MisfitRow { seq: 1, why }))
    }
}

/// What an agent answered.
struct Told {
    node: proto::NodeUid,
    address: String,
    answer: Result<Vec<proto::StepHistory>, Failure>,
}

fn compared(
    document: VerificationDocument,
    kept: Option<Sha256>,
    events: &[crate::store::StoredEvent],
) -> VerificationDocument {
    match kept {
        Some(kept) => document.led_through(&kept, events),
        None => document,
    }
}
