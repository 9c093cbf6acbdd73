//! The watch over the cluster while a step runs: the other nodes are looked at throughout, and what must not be is
//! written down with its moment.

use proto::Failure;
use proto::wire::Observe;
use tokio_util::sync::CancellationToken;

use super::driver::Driving;
use super::watch::judge_watch;
use super::{Event, Run, StepOrder};
use crate::observe::observe;

impl Driving {
    /// Lets a step run while requests of others are taken and the other nodes are watched.
    pub(super) async fn watched<T>(
        &self,
        work: impl Future<Output = T>,
        cancellable: &[StepOrder],
    ) -> Result<T, Failure> {
        let over = CancellationToken::new();
        let minded = self.minding_until(over.clone(), work, cancellable);
        let (done, watched) = tokio::join!(minded, self.watch(&over));
        watched.and(done)
    }

    /// Looks again and again until the work is over. A look that is under way then is dropped: it changes nothing.
    async fn watch(&self, over: &CancellationToken) -> Result<(), Failure> {
        while over.run_until_cancelled(tokio::time::sleep(self.world.watch_every)).await.is_some() {
            let run = self.journal.state().await;
            let addresses = others(&run);
            let (agents, cluster) = (&self.world.agents, &run.plan.cluster);
            let request = Observe::default();
            let look = observe(agents, cluster, &addresses, &request, &self.world.clock);
            let Some(snapshot) = over.run_until_cancelled(look).await else { return Ok(()) };
            let run = self.journal.state().await;
            let breaches = judge_watch(&run, &snapshot);
            let known = run.breach.as_ref().is_some_and(|(_, known)| *known == breaches);
            if !breaches.is_empty() && !known {
                self.journal.append_if_legal(Event::Breached { seen_at: snapshot.at, breaches }).await?;
            }
        }
        Ok(())
    }
}

/// The agents of the nodes whose turn it is not: the one whose turn it is has enough to do.
fn others(run: &Run) -> Vec<String> {
    let turn = run.turn.as_ref().map(|turn| turn.node);
    let others = run.plan.nodes.iter().filter(|node| Some(node.uid) != turn);
    others.map(|node| node.agent.clone()).collect()
}
