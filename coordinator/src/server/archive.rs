//! `export` and `prune`: runs for an archive, and runs that the store need not keep any longer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto::{Failure, RolloutName, RunId};

use super::Core;
use crate::documents::{Document, ExportDocument, ExportedEvent, KeptRow, PruneDocument, PrunedRow, RunView};
use crate::failures::chain;
use crate::rollout;
use crate::run::Phase;
use crate::store::{RunListing, StoredEvent};

/// What becomes of a run that is looked at for pruning.
enum Fate {
    Goes(PrunedRow),
    Stays(KeptRow),
    /// It is not over, or was not then.
    NotMeant,
}

impl Core {
    /// A run with everything that is kept of it, as it was written.
    pub(super) async fn export_run(&self, key: &str) -> Result<ExportDocument, Failure> {
        let listing = self.find(key).await?;
        let (run, driven) = self.load(&listing.id).await?;
        let digest = run
            .plan
            .digest()
            .map_err(|error| Failure::bug("the plan cannot be written down").because(chain(&error)))?;
        let records = self.store().verbatim(&listing.id).await?;
        Ok(ExportDocument {
            schema: ExportDocument::SCHEMA.to_owned(),
            made_at: self.now(),
            run: listing.id.to_string(),
            cluster: listing.cluster.to_string(),
            target: run.plan.target.to_string(),
            state: RunView { run: &run, progress: &[], driven }.state(),
            plan: (*run.plan).clone(),
            plan_digest: digest.to_string(),
            records: records.iter().map(exported).collect::<Result<_, _>>()?,
        })
    }

    /// Shows which runs were over before a moment; with consent, removes them. One that cannot be read stays, and so does
    /// one that a rollout still counts on.
    pub(super) async fn prune_runs(
        &self,
        before: Timestamp,
        consent: bool,
        by: &str,
    ) -> Result<PruneDocument, Failure> {
        let counted_on = self.counted_on().await?;
        let (mut runs, mut kept) = (Vec::new(), Vec::new());
        for listing in self.store().runs().await? {
            match self.fate(&listing, before, counted_on.get(&listing.id)).await? {
                Fate::Goes(row) => runs.push((listing.id, row)),
                Fate::Stays(row) => kept.push(row),
                Fate::NotMeant => {}
            }
        }
        if consent {
            for (id, _) in &runs {
                self.store().prune(id).await?;
                tracing::warn!(run = %id, by, "removed a run that was over");
            }
        }
        Ok(told(before, consent, runs.into_iter().map(|(_, row)| row).collect(), kept))
    }

    async fn fate(
        &self,
        listing: &RunListing,
        before: Timestamp,
        counted_on: Option<&RolloutName>,
    ) -> Result<Fate, Failure> {
        let name = listing.id.to_string();
        let stays = |why: String| Ok(Fate::Stays(KeptRow { run: name.clone(), why }));
        let (run, driven) = match self.load(&listing.id).await {
            Ok(loaded) => loaded,
            Err(failure) if failure.id == "store-unreachable" => return Err(failure),
            Err(failure) => return stays(format!("whether it is over cannot be told: {}", failure.message)),
        };
        if !matches!(run.phase, Phase::Ended(_)) || run.updated_at >= before {
            return Ok(Fate::NotMeant);
        }
        if let Some(rollout) = counted_on {
            return stays(format!("it belongs to the rollout {rollout}, which is not over"));
        }
        let state = RunView { run: &run, progress: &[], driven }.state();
        let cluster = listing.cluster.to_string();
        Ok(Fate::Goes(PrunedRow { run: name, cluster, state, ended_at: run.updated_at }))
    }

    /// Runs that belong to rollouts which are not over.
    async fn counted_on(&self) -> Result<BTreeMap<RunId, RolloutName>, Failure> {
        let mut runs = BTreeMap::new();
        for rollout in self.store().rollouts().await? {
            let journal = self.store().rollout_journal(&rollout, 1).await?;
            if matches!(journal.last().map(|record| &record.event), Some(rollout::Event::Ended(_))) {
                continue;
            }
            for record in journal {
                if let rollout::Event::Starting { run, .. } = record.event {
                    runs.insert(run, rollout.clone());
                }
            }
        }
        Ok(runs)
    }
}

fn exported(stored: &StoredEvent) -> Result<ExportedEvent, Failure> {
    let event = serde_json::from_str(&stored.body).map_err(|error| {
        let remedy = "restore the store from a backup";
        let message = format!("event {} cannot be read", stored.seq);
        Failure::operator("store-damaged", message, remedy).because(error.to_string())
    })?;
    let StoredEvent { seq, epoch, at, format, body, chain, .. } = stored.clone();
    Ok(ExportedEvent { seq, epoch: epoch.0, at, format, event, body, chain })
}

fn told(before: Timestamp, removed: bool, runs: Vec<PrunedRow>, kept: Vec<KeptRow>) -> PruneDocument {
    let count = |rows: usize| if rows == 1 { "1 run".to_owned() } else { format!("{rows} runs") };
    let summary = match (runs.len(), removed) {
        (0, _) => format!("no run was over before {before:.0}"),
        (some, true) => format!("{} removed that {} over before {before:.0}", count(some), was(some)),
        (some, false) => {
            format!("{} {} over before {before:.0}; nothing was removed", count(some), was(some))
        }
    };
    let first = runs.first().filter(|_| !removed);
    let next_commands =
        first.map(|row| format!("ratchet export {0} --to {0}.json", row.run)).into_iter().collect();
    let schema = PruneDocument::SCHEMA.to_owned();
    PruneDocument { schema, before, removed, runs, kept, summary, next_commands }
}

fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}
