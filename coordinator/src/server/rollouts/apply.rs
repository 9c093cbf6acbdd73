//! `rollout apply`: begins a rollout, or goes on with it. The same file twice is the same rollout.

use std::path::Path;
use std::sync::Arc;

use proto::{ClusterName, Failure, RolloutName};
use tokio_util::sync::CancellationToken;

use super::duty;
use crate::documents::RolloutDocument;
use crate::rollout::{Event, FleetCluster, Selection, Spec, parse_rollout, select};
use crate::server::{Core, inventory, notices};
use crate::store::{Acquire, Lead};

impl Core {
    /// Begins a rollout, changes it, or goes on with one that was interrupted.
    ///
    /// # Errors
    /// The file is wrong, the change cannot be made any more, or another coordinator leads.
    pub(in crate::server) async fn apply_rollout(
        self: &Arc<Self>,
        text: &str,
    ) -> Result<RolloutDocument, Failure> {
        let spec = parsed(text)?;
        self.acceptable(&spec.accept)?;
        let selection = select(&spec, &self.fleet());
        if selection.waves.iter().all(Vec::is_empty) {
            return Err(selects_nothing(&spec, &selection));
        }
        let name = spec.name.clone();
        let lead = self.lead_rollouts().await?;
        let event =
            Event::Applied { spec: Box::new(spec), waves: selection.waves, by: crate::identity::person() };
        self.write_applied(&lead, &name, event).await?;
        self.rollouts.wake();
        self.rollout_document(&name).await
    }

    /// Clusters of the configuration, as rollouts select them.
    pub(super) fn fleet(&self) -> Vec<FleetCluster> {
        let of = |cluster: &crate::config::ClusterConfig| FleetCluster {
            name: cluster.name.clone(),
            labels: cluster.labels.clone(),
        };
        self.config.clusters.iter().map(of).collect()
    }

    /// The lead. A coordinator that answers nobody but its own process takes it, if nobody has it, and carries rollouts out
    /// for as long as the process lives.
    async fn lead_rollouts(self: &Arc<Self>) -> Result<Arc<Lead>, Failure> {
        if let Some(lead) = self.leads() {
            return Ok(lead);
        }
        let lead = self.store().lead(&crate::identity::holder(), None, Acquire::IfFree).await?;
        let lead = Arc::new(lead);
        self.rollouts.set_own_lead(Some(Arc::clone(&lead)));
        let over = CancellationToken::new();
        tokio::spawn(inventory::duty(Arc::clone(self), Arc::clone(&lead), over.clone()));
        tokio::spawn(notices::duty(Arc::clone(self), Arc::clone(&lead), over.clone()));
        tokio::spawn(duty(Arc::clone(self), Arc::clone(&lead), over));
        Ok(lead)
    }

    /// The lead, if this coordinator has it.
    pub(super) fn leads(&self) -> Option<Arc<Lead>> {
        self.leading().or_else(|| self.rollouts.own_lead())
    }

    async fn write_applied(&self, lead: &Lead, name: &RolloutName, event: Event) -> Result<(), Failure> {
        let (store, now) = (self.store(), self.now());
        let mut books = self.rollouts.books.lock().await;
        let Some(book) = books.read(store, name).await? else {
            let record = store.append_rollout(lead, name, 1, now, &event).await?;
            return books.begin(&record);
        };
        if says_the_same(&book.rollout, &event) {
            return Ok(());
        }
        if let Err(reason) = book.would(lead, now, event.clone()) {
            let message = format!("rollout {name} cannot be changed like that");
            let remedy =
                "give the file another `name`, so that it is another rollout; or put it back as it was";
            return Err(Failure::operator("blocked", message, remedy).because(reason));
        }
        book.append(store, lead, now, event).await
    }
}

/// A rollout's file, checked.
pub(super) fn parsed(text: &str) -> Result<Spec, Failure> {
    Ok(parse_rollout(text, Path::new("the rollout's file"))?)
}

/// Whether the file says what it said before. Clusters that were added to the fleet since are no change: they are not
/// touched.
fn says_the_same(rollout: &crate::rollout::Rollout, event: &Event) -> bool {
    let Event::Applied { spec, .. } = event else { return false };
    **spec == *rollout.spec
}

fn selects_nothing(spec: &Spec, selection: &Selection) -> Failure {
    let message = format!("rollout {} selects no cluster", spec.name);
    let remedy = "correct `clusters` or `labels` of its waves; `ratchet status` lists the clusters";
    Failure::operator("usage", message, remedy).because(selection.idle.join("; "))
}

/// Names in one line.
pub(super) fn names(clusters: &[ClusterName]) -> Vec<String> {
    clusters.iter().map(ToString::to_string).collect()
}
