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

/// What a rollout's file is called in sentences: only its text is known here.
const FILE: &str = "the rollout's file";

impl Core {
    /// Begins a rollout, changes it, or goes on with one that was interrupted.
    ///
    /// # Errors
    /// The file is wrong, the change cannot be made any more, or another coordinator leads.
    pub(in crate::server) async fn apply_rollout(
        self: &Arc<Self>,
        text: &str,
        by: &str,
    ) -> Result<RolloutDocument, Failure> {
        let spec = parsed(text)?;
        self.acceptable(&spec.accept)?;
        let selection = select(&spec, &self.fleet());
        if selection.waves.iter().all(Vec::is_empty) {
            return Err(selects_nothing(&spec, &selection));
        }
        let name = spec.name.clone();
        let nobody = without_clusters(&spec, &selection);
        let lead = self.lead_rollouts().await?;
        let event = Event::Applied { spec: Box::new(spec), waves: selection.waves, by: by.to_owned() };
        self.write_applied(&lead, &name, event, nobody).await?;
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

    async fn write_applied(
        &self,
        lead: &Lead,
        name: &RolloutName,
        event: Event,
        nobody: Option<Failure>,
    ) -> Result<(), Failure> {
        let (store, now) = (self.store(), self.now());
        let mut books = self.rollouts.books.lock().await;
        let Some(book) = books.read(store, name).await? else {
            nobody.map_or(Ok(()), Err)?;
            let record = store.append_rollout(lead, name, 1, now, &event).await?;
            return books.begin(&record);
        };
        if says_the_same(&book.rollout, &event) {
            return Ok(());
        }
        nobody.map_or(Ok(()), Err)?;
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
    parse_rollout(text, Path::new(FILE)).map_err(|error| {
        // The words are about the configuration, whose keys are explained elsewhere.
        let failure = Failure::from(error);
        let message = failure.message.replacen("the configuration ", "", 1);
        let remedy = "correct the file; every key is explained in docs/rollouts.md".to_owned();
        Failure { message, remedy: Some(remedy), ..failure }
    })
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

/// A wave that nobody is in is through at once: a canary with a misspelt name must not be passed over like that.
fn without_clusters(spec: &Spec, selection: &Selection) -> Option<Failure> {
    let empty = empty_waves(spec, selection);
    let remedy =
        "correct its `clusters` or `labels`, or take the wave out; `ratchet status` lists the clusters";
    let message = format!("rollout {}: no cluster is in wave {}", spec.name, empty.join(", "));
    let cause = match selection.idle.is_empty() {
        true => "the clusters that it names are in earlier waves".to_owned(),
        false => selection.idle.join("; "),
    };
    (!empty.is_empty()).then(|| Failure::operator("usage", message, remedy).because(cause))
}

/// The names of waves without a cluster.
pub(super) fn empty_waves(spec: &Spec, selection: &Selection) -> Vec<String> {
    let waves = spec.waves.iter().zip(&selection.waves);
    waves.filter(|(_, clusters)| clusters.is_empty()).map(|(wave, _)| wave.name.clone()).collect()
}

/// Names in one line.
pub(super) fn names(clusters: &[ClusterName]) -> Vec<String> {
    clusters.iter().map(ToString::to_string).collect()
}
