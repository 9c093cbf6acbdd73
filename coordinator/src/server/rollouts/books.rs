//! The journals of rollouts, read as far as they are written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proto::{ClusterName, Failure, RolloutName, RunId};

use crate::rollout::{Event, Record, Rollout, Spec, next};
use crate::store::{Lead, Store};

/// A rollout as its journal leaves it.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) rollout: Rollout,
    /// Runs that it has started, also those that were followed by another one.
    pub(super) runs: BTreeMap<RunId, ClusterName>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Books {
    by_name: BTreeMap<RolloutName, Book>,
    /// Runs that no rollout has started. A rollout writes a run down before it creates it, so this never changes.
    of_none: BTreeSet<RunId>,
}

impl Book {
    fn take(book: Option<Self>, record: &Record) -> Result<Self, Failure> {
        let (rollout, mut runs) = match book {
            Some(book) => (Some(book.rollout), book.runs),
            None => (None, BTreeMap::new()),
        };
        let rollout = next(rollout, record).map_err(|illegal| Failure::bug(illegal.to_string()))?;
        if let Event::Starting { cluster, run } = &record.event {
            runs.insert(run.clone(), cluster.clone());
        }
        Ok(Self { rollout, runs })
    }

    /// Whether this could be written down now, and what it would make of the rollout.
    pub(super) fn would(
        &self,
        lead: &Lead,
        at: Timestamp,
        event: Event,
    ) -> Result<(Record, Rollout), String> {
        let record = Record { seq: self.rollout.seq + 1, epoch: lead.epoch, at, event };
        match next(Some(self.rollout.clone()), &record) {
            Ok(rollout) => Ok((record, rollout)),
            Err(illegal) => Err(illegal.reason),
        }
    }

    /// Writes something down: legal first, then durable, then counted.
    pub(super) async fn append(
        &mut self,
        store: &dyn Store,
        lead: &Lead,
        at: Timestamp,
        event: Event,
    ) -> Result<(), Failure> {
        let kind = event.kind();
        let (record, rollout) = self.would(lead, at, event).map_err(|reason| {
            Failure::bug(format!("`{kind}` cannot happen to rollout {} now: {reason}", self.rollout.name))
        })?;
        store.append_rollout(lead, &self.rollout.name, record.seq, at, &record.event).await?;
        if let Event::Starting { cluster, run } = &record.event {
            self.runs.insert(run.clone(), cluster.clone());
        }
        self.rollout = rollout;
        Ok(())
    }
}

impl Books {
    /// A rollout as its journal leaves it now; `None` if there is no such rollout.
    pub(super) async fn read(
        &mut self,
        store: &dyn Store,
        name: &RolloutName,
    ) -> Result<Option<&mut Book>, Failure> {
        let known = self.by_name.get(name);
        // Nothing follows the end.
        if known.is_none_or(|book| !book.rollout.is_over()) {
            let from = known.map_or(1, |book| book.rollout.seq + 1);
            let records = store.rollout_journal(name, from).await?;
            if !records.is_empty() {
                let mut book = known.cloned();
                for record in &records {
                    book = Some(Book::take(book, record)?);
                }
                self.by_name.extend(book.map(|book| (name.clone(), book)));
            }
        }
        Ok(self.by_name.get_mut(name))
    }

    /// The rollout that has started a run and is not over: what it says, and the run's cluster.
    pub(super) async fn owner(
        &mut self,
        store: &dyn Store,
        run: &RunId,
    ) -> Result<Option<(Arc<Spec>, ClusterName)>, Failure> {
        if self.of_none.contains(run) {
            return Ok(None);
        }
        let mut names: Vec<RolloutName> = self.named(run).into_iter().collect();
        if names.is_empty() {
            names = store.rollouts().await?;
        }
        let mut unread = None;
        for name in names {
            let book = match self.read(store, &name).await {
                Ok(Some(book)) => book,
                Ok(None) => continue,
                // It may be the one; but another one may be, too.
                Err(failure) => {
                    unread = Some(failure);
                    continue;
                }
            };
            if let Some(cluster) = book.runs.get(run) {
                let spec = (!book.rollout.is_over()).then(|| Arc::clone(&book.rollout.spec));
                return Ok(spec.map(|spec| (spec, cluster.clone())));
            }
        }
        if let Some(failure) = unread {
            return Err(failure);
        }
        self.of_none.insert(run.clone());
        Ok(None)
    }

    /// What the rollouts say that are not over.
    pub(super) async fn specs(&mut self, store: &dyn Store) -> Result<Vec<Arc<Spec>>, Failure> {
        let mut specs = Vec::new();
        for name in store.rollouts().await? {
            let book = self.read(store, &name).await?.filter(|book| !book.rollout.is_over());
            specs.extend(book.map(|book| Arc::clone(&book.rollout.spec)));
        }
        Ok(specs)
    }

    fn named(&self, run: &RunId) -> Option<RolloutName> {
        let mut books = self.by_name.iter();
        books.find(|(_, book)| book.runs.contains_key(run)).map(|(name, _)| name.clone())
    }

    /// Puts a rollout that has just begun with the others.
    pub(super) fn begin(&mut self, record: &Record) -> Result<(), Failure> {
        let book = Book::take(None, record)?;
        self.by_name.insert(book.rollout.name.clone(), book);
        Ok(())
    }
}
