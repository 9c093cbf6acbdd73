//! `takeover`: a cluster whose driver is gone for good, hung or out of reach, or whose store was lost, is put into the
//! hands of this store, on a person's word.
//!
//! First it is looked: who holds what, and what is at work. Then, with consent, the lease is seized at an epoch above
//! every epoch that any agent has obeyed, which fences the old driver here; and every agent, in uid order, moves its claim
//! if its holder is still the one that was seen, which fences the old driver there. Doing it again is harmless.

mod row;
mod sight;

use futures::future::join_all;
use proto::wire::{Observe, TakeOver};
use proto::{Failure, RunId};

use super::Core;
use crate::agents::is_unreachable;
use crate::documents::{TakeoverDocument, TakeoverOutcome};
use crate::store::{Acquire, Lease};
use row::{document, node_row};
use sight::{Seen, Sight};

/// What became of one node.
#[derive(Debug)]
enum Moved {
    /// It obeys the new epoch.
    Taken,
    /// It could not be asked, or it refused.
    Failed(Failure),
    /// It was not asked: a node before it refused.
    NotAsked,
}

/// A take-over, on somebody's word.
#[derive(Clone, Copy)]
struct Taking<'a> {
    sight: &'a Sight,
    lease: &'a Lease,
    holder: &'a str,
    despite_install: bool,
}

impl Core {
    pub(super) async fn take_over_cluster(
        &self,
        cluster: &str,
        consent: bool,
        despite_install: bool,
        by: &str,
    ) -> Result<TakeoverDocument, Failure> {
        let sight = self.sight(cluster).await?;
        let outcome =
            if sight.reasons().is_empty() { TakeoverOutcome::Nothing } else { TakeoverOutcome::Needed };
        if outcome == TakeoverOutcome::Nothing || !consent {
            return Ok(document(
                &sight,
                outcome,
                None,
                sight.nodes.iter().map(|seen| node_row(&sight, seen)),
            ));
        }
        if let Some(obstacle) = sight.obstacles(despite_install).into_iter().next() {
            return Err(obstacle);
        }
        let holder = crate::identity::holder_for(by);
        let lease = self.seize(&sight, &holder).await?;
        let taking = Taking { sight: &sight, lease: &lease, holder: &holder, despite_install };
        let moved = self.move_claims(taking).await;
        let all = moved.iter().all(|moved| matches!(moved, Moved::Taken));
        let outcome = if all { TakeoverOutcome::Taken } else { TakeoverOutcome::Partial };
        let rows = sight.nodes.iter().zip(&moved).map(|(seen, moved)| row::moved_row(&sight, seen, moved));
        Ok(document(&sight, outcome, Some(lease.epoch), rows))
    }

    /// Who holds what now.
    async fn sight(&self, cluster: &str) -> Result<Sight, Failure> {
        let cluster = self.cluster(cluster)?;
        let members = self.current_members(cluster).await;
        let nodes = join_all(members.into_iter().map(|address| async {
            let answer = self.world.agents.observe(&address, &Observe::default()).await;
            Seen { address, answer }
        }));
        let mut nodes = nodes.await;
        nodes.sort_by_key(|seen| (seen.uid().is_none(), seen.uid()));
        let name = &cluster.name;
        Ok(Sight {
            cluster: name.clone(),
            at: self.now(),
            holder: self.store().driver(name).await?,
            latest: self.store().latest_driver(name).await?,
            run: self.open_run(name).await?,
            nodes,
        })
    }

    async fn seize(&self, sight: &Sight, holder: &str) -> Result<Lease, Failure> {
        let how = Acquire::Seize { above: sight.highest_epoch() };
        let lease = self.store().acquire(&sight.cluster, holder, how).await?;
        tracing::warn!(cluster = %sight.cluster, holder, epoch = %lease.epoch, "the cluster is taken over");
        Ok(lease)
    }

    /// In uid order, so that of two who do this at once one is refused early. A node that refuses ends it: somebody else
    /// is at work. One that cannot be reached does not: every other node is better off.
    async fn move_claims(&self, taking: Taking<'_>) -> Vec<Moved> {
        let mut moved: Vec<Moved> = Vec::new();
        for seen in &taking.sight.nodes {
            let refused = |moved: &Moved| matches!(moved, Moved::Failed(failure) if !is_unreachable(failure));
            moved.push(match moved.last() {
                Some(Moved::NotAsked) => Moved::NotAsked,
                Some(last) if refused(last) => Moved::NotAsked,
                _ => self.move_claim(taking, seen).await,
            });
        }
        moved
    }

    async fn move_claim(&self, taking: Taking<'_>, seen: &Seen) -> Moved {
        let Taking { sight, lease, holder, despite_install } = taking;
        let request = TakeOver {
            cluster: sight.cluster.clone(),
            node: seen.uid(),
            expected: seen.claim().map(|claim| claim.run.clone()),
            epoch: lease.epoch,
            holder: holder.to_owned(),
            run: sight.goes_to(seen).cloned(),
            despite_install,
        };
        match self.world.agents.take_over(&seen.address, &request).await {
            Ok(_) => Moved::Taken,
            Err(failure) => Moved::Failed(failure),
        }
    }
}

/// The commands that go on with a run, or see about a new one.
fn after(sight: &Sight) -> Vec<String> {
    let status = format!("ratchet status {}", sight.cluster);
    match sight.run.as_ref().map(|run: &crate::run::Run| -> &RunId { &run.id }) {
        Some(run) => vec![format!("ratchet resume {run}"), format!("ratchet abort {run}"), status],
        None => vec![status, format!("ratchet upgrade {} --to VERSION", sight.cluster)],
    }
}
