//! A coordinator as a node's agent sees one.

use std::time::Duration;

use coordinator::agents::{Agents, Dialer, is_unreachable};
use futures::StreamExt;
use proto::transport::Security;
use proto::wire::{Execute, Observe, TakeClaim};
use proto::*;

use super::PATIENCE;

/// The node's network is the test's own, and nobody else's.
const ADDRESS: &str = "127.0.0.1:7443";

/// Drives the agent through the coordinator's own door to it.
pub struct Driver {
    agents: Agents,
    authority: Authority,
}

impl Driver {
    pub fn new() -> Self {
        let authority = Authority { run: "r1".parse().unwrap(), epoch: Epoch(1) };
        Self { agents: Agents::new(Dialer::network(Security::InsecureLoopback)), authority }
    }

    pub async fn claim(&self) {
        let Authority { run, epoch } = self.authority.clone();
        let cluster = "orders".parse().unwrap();
        let asked =
            TakeClaim { run, cluster, epoch, holder: "lab".to_owned(), expected_node: Some(NodeUid(1)) };
        self.agents.claim(ADDRESS, &asked).await.unwrap();
    }

    pub async fn observe(&self) -> NodeFacts {
        let asked = Observe { run_rlcheck: true, ..Observe::default() };
        self.agents.observe(ADDRESS, &asked).await.unwrap()
    }

    /// The events of a step up to one that is wanted, or to its end. Joined again where it was, whenever the agent is
    /// away.
    pub async fn until(
        &self,
        step: &str,
        spec: &StepSpec,
        wanted: impl Fn(&StepProgress) -> bool,
    ) -> Vec<StepProgress> {
        let mut seen = Vec::new();
        let following = async {
            let mut tries = tokio::time::interval(Duration::from_millis(100));
            while !self.follow(step, spec, &wanted, &mut seen).await {
                tries.tick().await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, following).await;
        assert!(ended.is_ok(), "{step} did not get so far: {seen:?}");
        seen
    }

    /// `false` when the agent is away.
    async fn follow(
        &self,
        step: &str,
        spec: &StepSpec,
        wanted: &impl Fn(&StepProgress) -> bool,
        seen: &mut Vec<StepProgress>,
    ) -> bool {
        let from_seq = seen.len() as u64 + 1;
        let (authority, spec) = (self.authority.clone(), spec.clone());
        let asked = Execute { authority, step: step.parse().unwrap(), spec, from_seq, only_join: false };
        let mut events = match self.agents.execute(ADDRESS, &asked).await {
            Ok(events) => Box::pin(events),
            Err(failure) if is_unreachable(&failure) => return false,
            Err(failure) => panic!("{step}: {failure:?}"),
        };
        while let Some(Ok(event)) = events.next().await {
            assert_eq!(event.seq, seen.len() as u64 + 1, "no gap, no repetition");
            seen.push(event.what);
            let last = &seen[seen.len() - 1];
            if wanted(last) || matches!(last, StepProgress::Finished(_)) {
                return true;
            }
        }
        false
    }

    pub async fn outcome(&self, step: &str, spec: &StepSpec) -> StepOutcome {
        match self.until(step, spec, |_| false).await.pop() {
            Some(StepProgress::Finished(outcome)) => *outcome,
            other => panic!("{step} ended with {other:?}"),
        }
    }
}
