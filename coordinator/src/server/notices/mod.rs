//! Telling people of news: the journals are read for it, what is found is written down, and what is written down is
//! delivered, at least once, whatever dies in between.

mod reading;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use proto::{Clock, RunId};
use tokio_util::sync::CancellationToken;

pub(in crate::server) use self::reading::Reading;
use self::sending::{LIMIT, Sender};
use super::Core;
use crate::config::NotifyConfig;
use crate::metrics::{Metrics, Told};
use crate::notify::{Answer, Next, Pending, Subject};
use crate::store::{Lead, Shelf, Store, StoreError};

/// How often the journals are read for news, and receivers' lists for what is due.
const LOOK: Duration = Duration::from_secs(1);

/// Tells of everything in the store for as long as this coordinator leads.
pub(in crate::server) async fn duty(core: Arc<Core>, lead: Arc<Lead>, over: CancellationToken) {
    if core.notices.receivers.is_empty() {
        over.cancelled().await;
    } else {
        over.run_until_cancelled(core.notices.keep_telling()).await;
    }
    drop(lead);
}

/// News of this coordinator's store, and who is told.
#[derive(Debug)]
pub(in crate::server) struct Notices {
    receivers: Vec<Named>,
    store: Arc<dyn Store>,
    clock: Clock,
    metrics: Arc<Metrics>,
    sender: Sender,
}

/// A receiver, under the name that stays the same.
#[derive(Debug)]
struct Named {
    key: String,
    config: NotifyConfig,
}

impl Notices {
    pub(in crate::server) fn new(
        receivers: &[NotifyConfig],
        store: Arc<dyn Store>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        let named = |config: &NotifyConfig| Named { key: config.key(), config: config.clone() };
        let receivers = receivers.iter().map(named).collect();
        Self { receivers, store, clock, metrics, sender: Sender::default() }
    }

    /// Before the first run of a store: whatever is in it by now is the past, and nobody is told of it.
    pub(in crate::server) async fn begin(&self) {
        if self.receivers.is_empty() {
            return;
        }
        if let Err(error) = self.told_up_to().await {
            tracing::warn!(%error, "news cannot be told yet: the store does not say what was told");
        }
    }

    /// Tells of one run that stands still, for a coordinator that does not live on. What nobody would have within the
    /// time of one attempt stays written down for whoever leads.
    pub(in crate::server) async fn tell_of(&self, run: &RunId) {
        if self.receivers.is_empty() {
            return;
        }
        match self.read_and_deliver(run).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(%run, "not everybody who is to be told of it could be reached"),
            Err(error) => tracing::warn!(%run, %error, "nobody was told how it stands"),
        }
    }

    async fn read_and_deliver(&self, run: &RunId) -> Result<bool, StoreError> {
        // Whoever leads reads the same journals.
        if self.store.leader().await?.is_some() {
            return Ok(true);
        }
        let mut reading = Reading::new(self.told_up_to().await?);
        self.read_run(&mut reading, run, None).await?;
        let only = Subject::of_run(run);
        let all = join_all(self.receivers.iter().map(|receiver| self.deliver_due(receiver, Some(&only))));
        match tokio::time::timeout(LIMIT, all).await {
            Ok(delivered) => delivered.into_iter().try_fold(true, |all, one| Ok(all && one?)),
            Err(_) => Ok(false),
        }
    }

    /// Reads and delivers for ever. Each receiver is served by itself: one that hangs holds up no other.
    pub(in crate::server) async fn keep_telling(&self) {
        let delivering = self.receivers.iter().map(|receiver| self.keep_delivering(receiver));
        join(self.keep_reading(), join_all(delivering)).await;
    }

    async fn keep_delivering(&self, receiver: &Named) {
        loop {
            if let Err(error) = self.deliver_due(receiver, None).await {
                tracing::warn!(receiver = %receiver.config, %error, "what is to be told cannot be read");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tries everything that is due once.
    #[cfg(test)]
    pub(in crate::server) async fn deliver_all_due(&self) -> Result<(), StoreError> {
        for receiver in &self.receivers {
            self.deliver_due(receiver, None).await?;
        }
        Ok(())
    }

    /// Delivers what is due for a receiver; `false` if it would not have something. After a failure the others wait, too:
    /// they would most likely meet with the same.
    async fn deliver_due(&self, receiver: &Named, only: Option<&Subject>) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut due = self.pending().await?;
        due.retain(|pending| pending.target == receiver.key && pending.next_at <= now);
        due.retain(|pending| only.is_none_or(|only| pending.notice.subject == *only));
        due.sort_by_key(|pending| (pending.next_at, pending.notice.at));
        for pending in due {
            let answer = self.sender.send(&receiver.config.receiver, &pending.notice, self.clock.now()).await;
            let delivered = answer == Answer::Delivered;
            self.settle(receiver, pending, answer).await?;
            if !delivered {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes down what came of an attempt.
    async fn settle(&self, receiver: &Named, pending: Pending, answer: Answer) -> Result<(), StoreError> {
        let (key, id) = (pending.key(), pending.notice.id.clone());
        let receiver = &receiver.config;
        match pending.after(answer, self.clock.now(), rand::random()) {
            Next::Delivered => {
                self.metrics.notice(Told::Delivered);
                tracing::info!(notice = %id, %receiver, "told");
                self.store.take_off(Shelf::Notice, &key).await.map(drop)
            }
            Next::GivenUp(reason) => {
                self.metrics.notice(Told::GivenUp);
                tracing::error!(notice = %id, %receiver, reason, "given up: they are not told");
                self.store.take_off(Shelf::Notice, &key).await.map(drop)
            }
            Next::Again(again) => {
                self.metrics.notice(Told::Failed);
                let (trouble, next_at) = (again.trouble.as_deref().unwrap_or_default(), again.next_at);
                tracing::warn!(notice = %id, %receiver, trouble, %next_at, "could not be told; tried again");
                self.put(&again).await
            }
        }
    }

    /// Everything that is to be told. What a later program wrote is left to it.
    pub(in crate::server) async fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let shelved = self.store.shelved(Shelf::Notice).await?;
        Ok(shelved.iter().filter_map(|(_, body)| serde_json::from_str(body).ok()).collect())
    }

    async fn put(&self, pending: &Pending) -> Result<(), StoreError> {
        self.store.put(Shelf::Notice, &pending.key(), &body(pending)?).await
    }
}

fn body(pending: &Pending) -> Result<String, StoreError> {
    serde_json::to_string(pending).map_err(|error| StoreError::Damaged(error.to_string()))
}
