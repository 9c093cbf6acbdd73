//! Reading the journals for news.

use std::collections::{BTreeMap, HashMap, HashSet};

use proto::{RolloutName, RunId};

use super::{LOOK, Notices, body};
use crate::notify::{
    FleetHalted, GIVES_UP_AFTER, Notice, Pending, Subject, is_news, may_be_rollout_news, news_of_fleet,
    news_of_rollout, news_of_run,
};
use crate::store::{Shelf, StoreError, StoredEvent};

/// Says that everything before was the past. No subject has this key.
const BEGAN: &str = "began";
/// The name of the fleet's halt on its shelf.
const FLEET: &str = "fleet";

/// No journal becomes so long.
const NEVER: u64 = i64::MAX.cast_unsigned() - 1;

/// How far the journals were read.
#[derive(Debug)]
pub(in crate::server) struct Reading {
    /// The last event of each subject that was told, as the store knows it.
    told: BTreeMap<String, u64>,
    /// The last event that was looked at. What is not in the store is looked at again after a restart, for nothing.
    looked: HashMap<String, u64>,
}

impl Reading {
    pub(in crate::server) fn new(told: BTreeMap<String, u64>) -> Self {
        Self { told, looked: HashMap::new() }
    }

    /// A journal that this program cannot read must not keep it from telling of all others.
    fn unless_unreadable(
        &mut self,
        key: String,
        end: u64,
        read: Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match read {
            Err(error @ (StoreError::Newer { .. } | StoreError::Damaged(_))) => {
                tracing::error!(subject = key, %error, "nobody can be told of it");
                self.looked.insert(key, end);
                Ok(())
            }
            read => read,
        }
    }

    fn above(&self, key: &str) -> u64 {
        let of = |map: Option<&u64>| map.copied().unwrap_or_default();
        of(self.told.get(key)).max(of(self.looked.get(key)))
    }
}

impl Notices {
    pub(super) async fn keep_reading(&self) {
        let mut reading = None;
        loop {
            match self.read_all(&mut reading).await {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "the journals cannot be read for news"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Reads what is new in all journals, and writes down who is to be told of what.
    pub(in crate::server) async fn read_all(&self, reading: &mut Option<Reading>) -> Result<(), StoreError> {
        let reading = match reading {
            Some(reading) => reading,
            None => reading.insert(Reading::new(self.told_up_to().await?)),
        };
        let ends = self.store.ends().await?;
        for (run, end) in &ends {
            let read = self.read_run(reading, run, Some(*end)).await;
            reading.unless_unreadable(Subject::of_run(run).key(), *end, read)?;
        }
        for rollout in self.store.rollouts().await? {
            let read = self.read_rollout(reading, &rollout).await;
            reading.unless_unreadable(Subject::of_rollout(&rollout).key(), NEVER, read)?;
        }
        self.read_fleet(reading).await?;
        self.forget_pruned(reading, &ends).await?;
        self.forget_strangers().await
    }

    /// Up to which event of each subject people were told. In a store that does not say, all there is is the past.
    pub(super) async fn told_up_to(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let shelved = self.store.shelved(Shelf::NoticedUpTo).await?;
        if shelved.iter().any(|(key, _)| key == BEGAN) {
            let told = shelved.into_iter().filter_map(|(key, body)| Some((key, body.parse().ok()?)));
            return Ok(told.collect());
        }
        let mut told = BTreeMap::new();
        for (run, end) in self.store.ends().await? {
            told.insert(Subject::of_run(&run).key(), end);
        }
        for rollout in self.store.rollouts().await? {
            let end = self.store.rollout_journal(&rollout, 1).await?.last().map_or(0, |last| last.seq);
            told.insert(Subject::of_rollout(&rollout).key(), end);
        }
        told.insert(Subject::default().key(), self.fleet().await?.map_or(0, |fleet| fleet.number));
        for (key, seq) in &told {
            self.store.put(Shelf::NoticedUpTo, key, &seq.to_string()).await?;
        }
        self.store.put(Shelf::NoticedUpTo, BEGAN, "").await?;
        Ok(told)
    }

    /// Reads what is new in a run's journal; up to its `end`, if that is known.
    pub(super) async fn read_run(
        &self,
        reading: &mut Reading,
        run: &RunId,
        end: Option<u64>,
    ) -> Result<(), StoreError> {
        let key = Subject::of_run(run).key();
        let above = reading.above(&key);
        if end.is_some_and(|end| end <= above) {
            return Ok(());
        }
        let new = self.store.journal(run, above + 1).await?;
        let Some(last) = new.last().map(|record| record.seq) else { return Ok(()) };
        if new.iter().any(|record| is_news(&record.event)) {
            let records = self.store.journal(run, 1).await?;
            match news_of_run(run, &records, above) {
                Ok(news) => {
                    let digests = digests(&self.store.verbatim(run).await?);
                    let news = news.into_iter().map(|notice| notice.with_digest(&digests)).collect();
                    self.write_down(reading, &key, last, news).await?;
                }
                Err(illegal) => tracing::error!(%run, %illegal, "nobody can be told of it"),
            }
        }
        reading.looked.insert(key, last);
        Ok(())
    }

    async fn read_rollout(&self, reading: &mut Reading, rollout: &RolloutName) -> Result<(), StoreError> {
        let key = Subject::of_rollout(rollout).key();
        let above = reading.above(&key);
        let new = self.store.rollout_journal(rollout, above + 1).await?;
        let Some(last) = new.last().map(|record| record.seq) else { return Ok(()) };
        if new.iter().any(|record| may_be_rollout_news(&record.event)) {
            let records = self.store.rollout_journal(rollout, 1).await?;
            let digests = digests(&self.store.verbatim_rollout(rollout).await?);
            let news = news_of_rollout(rollout, &records, above);
            let news = news.into_iter().map(|notice| notice.with_digest(&digests)).collect();
            self.write_down(reading, &key, last, news).await?;
        }
        reading.looked.insert(key, last);
        Ok(())
    }

    async fn read_fleet(&self, reading: &mut Reading) -> Result<(), StoreError> {
        let Some(fleet) = self.fleet().await? else { return Ok(()) };
        let key = Subject::default().key();
        let news = news_of_fleet(&fleet, reading.above(&key), self.clock.now());
        match news {
            Some(news) => self.write_down(reading, &key, fleet.number, vec![news]).await,
            None => Ok(()),
        }
    }

    async fn fleet(&self) -> Result<Option<FleetHalted>, StoreError> {
        let shelved = self.store.shelved(Shelf::Halt).await?;
        let body = shelved.into_iter().find(|(key, _)| key == FLEET).map(|(_, body)| body);
        body.map(|body| serde_json::from_str(&body).map_err(|error| StoreError::Damaged(error.to_string())))
            .transpose()
    }

    /// First what is to be told, then how far was read: whoever is killed in between writes the same once more.
    async fn write_down(
        &self,
        reading: &mut Reading,
        key: &str,
        last: u64,
        news: Vec<Notice>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        for notice in news.into_iter().filter(|notice| now.duration_since(notice.at) <= GIVES_UP_AFTER) {
            for receiver in self.receivers.iter().filter(|of| of.config.on.contains(&notice.kind)) {
                let pending = Pending::new(notice.clone(), receiver.key.clone());
                self.store.put_new(Shelf::Notice, &pending.key(), &body(&pending)?).await?;
            }
        }
        self.store.put(Shelf::NoticedUpTo, key, &last.to_string()).await?;
        reading.told.insert(key.to_owned(), last);
        Ok(())
    }

    async fn forget_pruned(&self, reading: &mut Reading, ends: &[(RunId, u64)]) -> Result<(), StoreError> {
        let there: HashSet<String> = ends.iter().map(|(run, _)| Subject::of_run(run).key()).collect();
        let gone = |key: &&String| key.starts_with("run:") && !there.contains(*key);
        let gone: Vec<String> = reading.told.keys().filter(gone).cloned().collect();
        for key in gone {
            self.store.take_off(Shelf::NoticedUpTo, &key).await?;
            reading.told.remove(&key);
        }
        reading.looked.retain(|key, _| !key.starts_with("run:") || there.contains(key));
        Ok(())
    }

    /// What is to be told to receivers that this configuration does not name may be another process's to deliver; after a
    /// day it is nobody's.
    async fn forget_strangers(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for pending in self.pending().await? {
            let known = self.receivers.iter().any(|receiver| receiver.key == pending.target);
            if !known && now.duration_since(pending.notice.at) > GIVES_UP_AFTER {
                tracing::warn!(notice = %pending.notice.id, "given up: its receiver is not in the configuration");
                self.store.take_off(Shelf::Notice, &pending.key()).await?;
            }
        }
        Ok(())
    }
}

/// The digest of each event that is in a chain.
fn digests(events: &[StoredEvent]) -> BTreeMap<u64, String> {
    let chained = events.iter().filter(|event| !event.chain.is_empty());
    chained.map(|event| (event.seq, event.chain.clone())).collect()
}
