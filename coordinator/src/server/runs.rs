//! `runs`, `show` and `watch`.

use std::time::Duration;

use proto::wire::UNREACHABLE;
use proto::{Failure, RunId};

use super::Core;
use super::drivers::Told;
use crate::documents::{
    Document, EventDocument, ReportDocument, RunDocument, RunState, RunView, RunsDocument, WatchDocument,
    asked_rows, event_document, head_of,
};
use crate::failures::SUPERSEDED;

/// Between two looks at the store while a run is watched.
pub(super) const LOOK: Duration = Duration::from_millis(150);

impl Core {
    pub(super) async fn runs(&self) -> Result<RunsDocument, Failure> {
        let mut rows = Vec::new();
        for listing in self.store().runs().await? {
            let (run, driven) = self.load(&listing.id).await?;
            rows.push(RunView { run: &run, progress: &[], driven }.row());
        }
        let fleet_halt = self.fleet_halt().await?.row();
        Ok(RunsDocument { schema: RunsDocument::SCHEMA.to_owned(), fleet_halt, runs: rows })
    }

    /// A run, with its journal, and with the journals that the nodes' agents keep of it.
    pub(super) async fn show(&self, key: &str, events: bool, agents: bool) -> Result<RunDocument, Failure> {
        let listing = self.find(key).await?;
        let events = match events {
            true => Some(self.events(&listing.id, 1).await?),
            false => None,
        };
        let document = self.document(&listing.id, events).await?;
        match agents {
            true => Ok(RunDocument { agents: Some(self.agents_journals(&listing.id).await?), ..document }),
            false => Ok(document),
        }
    }

    /// A run for the record.
    pub(super) async fn report(&self, key: &str) -> Result<ReportDocument, Failure> {
        let listing = self.find(key).await?;
        let (run, _) = self.load(&listing.id).await?;
        let events = self.events(&listing.id, 1).await?;
        let digest = run.plan.digest().map_err(|error| {
            Failure::bug("the plan cannot be written down").because(crate::failures::chain(&error))
        })?;
        let head = head_of(&self.store().verbatim(&listing.id).await?);
        Ok(ReportDocument {
            schema: ReportDocument::SCHEMA.to_owned(),
            made_at: self.now(),
            run: self.document(&listing.id, Some(events)).await?,
            plan: (*run.plan).clone(),
            plan_digest: digest.to_string(),
            head,
        })
    }

    pub(super) async fn document(
        &self,
        id: &RunId,
        events: Option<Vec<EventDocument>>,
    ) -> Result<RunDocument, Failure> {
        let (run, driven, records) = self.load_with_journal(id).await?;
        let progress = self.store().progress(id).await?;
        let document = RunView { run: &run, progress: &progress, driven }.document(events);
        Ok(RunDocument { asked: asked_rows(id, &records), ..document })
    }

    async fn events(&self, id: &RunId, from_seq: u64) -> Result<Vec<EventDocument>, Failure> {
        let records = self.store().journal(id, from_seq).await?;
        Ok(records.iter().map(|record| event_document(id, record)).collect())
    }

    /// What is new in a run since an event, once something is; `None` when it stands still and everything was told.
    ///
    /// # Errors
    /// The store failed, or the run's driver in this coordinator ended and left the run in the middle of its work.
    pub(super) async fn news(&self, watch: &mut Watching) -> Result<Option<WatchDocument>, Failure> {
        loop {
            let events = self.events(&watch.run, watch.next_seq).await?;
            let run = self.document(&watch.run, None).await?;
            let state = run.state;
            let told = watch.last.replace(run.clone());
            let moved = told.as_ref().is_none_or(|told| differs(told, &run));
            if !events.is_empty() || moved {
                watch.next_seq = events.last().map_or(watch.next_seq, |event| event.seq + 1);
                return Ok(Some(WatchDocument { schema: WatchDocument::SCHEMA.to_owned(), events, run }));
            }
            if self.is_told(watch, state)? {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The same, for somebody who asks from outside: a coordinator that is being stopped sends them on to another.
    pub(super) async fn news_while_serving(
        &self,
        watch: &mut Watching,
    ) -> Result<Option<WatchDocument>, Failure> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => {
                Err(Failure::retry(UNREACHABLE, "the coordinator is being stopped"))
            }
            news = self.news(watch) => news,
        }
    }

    /// Whether there is no more to tell of a run in this state.
    fn is_told(&self, watch: &Watching, state: RunState) -> Result<bool, Failure> {
        let in_the_middle = matches!(state, RunState::Running | RunState::Interrupted);
        if self.serves() && !self.drivers.is_stuck(&watch.run) {
            // Whoever leads takes it up again, whoever that is by then.
            return Ok(!in_the_middle && !self.drivers.is_at_work(&watch.run));
        }
        let nobody_drives = state == RunState::Interrupted;
        match self.drivers.tell(&watch.run, watch.failures, nobody_drives) {
            // That somebody else took over is told even where he has brought the run to its end since.
            Told::Failed(failure) if in_the_middle || failure.id == SUPERSEDED => Err(failure),
            // It has freed the cluster, but has not said yet how it ended.
            Told::AtWork => Ok(false),
            Told::Failed(_) | Told::Nothing => Ok(state != RunState::Running),
        }
    }

    pub(super) fn watching(&self, run: RunId, from_seq: u64) -> Watching {
        Watching { run, next_seq: from_seq.max(1), last: None, failures: self.drivers.failures() }
    }
}

/// Where somebody is in watching a run.
#[derive(Debug)]
pub(super) struct Watching {
    run: RunId,
    next_seq: u64,
    last: Option<RunDocument>,
    /// How many drivers had failed before.
    failures: u64,
}

/// Whether a watcher should be told: anything that is shown has changed.
fn differs(told: &RunDocument, now: &RunDocument) -> bool {
    let seen = |run: &RunDocument| (run.state, run.doing.clone());
    let steps = |run: &RunDocument| -> Vec<(u64, Option<String>)> {
        run.nodes
            .iter()
            .map(|node| node.step.as_ref().map_or((0, None), |step| (step.done, Some(step.doing.clone()))))
            .collect()
    };
    seen(told) != seen(now) || steps(told) != steps(now)
}
