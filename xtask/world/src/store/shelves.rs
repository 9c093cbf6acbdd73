//! What the store holds beside runs: rollouts, who leads, and the shelves.

use std::collections::BTreeMap;

use coordinator::rollout::{Record, Request};
use coordinator::store::{Acquire, Lead, Leader, RolloutAsked, Shelf, StoreError};
use proto::{Epoch, RolloutName};

/// All of it. Nobody but one process leads in a simulated world.
#[derive(Debug, Default)]
pub struct Shelves {
    leader: Option<Leader>,
    rollouts: Vec<(RolloutName, Vec<Record>)>,
    asked: Vec<(RolloutName, RolloutAsked)>,
    documents: BTreeMap<(Shelf, String), String>,
}

impl Shelves {
    pub(super) fn lead(
        &mut self,
        holder: &str,
        address: Option<&str>,
        how: Acquire,
    ) -> Result<Lead, StoreError> {
        let last = self.leader.as_ref().map_or(0, |leader| leader.epoch.0);
        let above = match how {
            Acquire::IfFree => 0,
            Acquire::Seize { above } => above.0,
        };
        let epoch = Epoch(last.max(above) + 1);
        self.leader = Some(Leader { epoch, holder: holder.to_owned(), address: address.map(str::to_owned) });
        Ok(Lead::new(epoch, ()))
    }

    pub(super) fn leader(&self) -> Option<Leader> {
        self.leader.clone()
    }

    pub(super) fn append(&mut self, rollout: &RolloutName, record: Record) -> Result<Record, StoreError> {
        let latest = self.leader.as_ref().map(|leader| leader.epoch);
        if latest != Some(record.epoch) {
            return Err(StoreError::Deposed { epoch: record.epoch, latest: None });
        }
        match self.rollouts.iter_mut().find(|(name, _)| name == rollout) {
            Some((_, journal)) => journal.push(record.clone()),
            None => self.rollouts.push((rollout.clone(), vec![record.clone()])),
        }
        Ok(record)
    }

    pub(super) fn journal(&self, rollout: &RolloutName, from_seq: u64) -> Vec<Record> {
        let journal = self.rollouts.iter().find(|(name, _)| name == rollout).map(|(_, journal)| journal);
        journal.into_iter().flatten().filter(|record| record.seq >= from_seq).cloned().collect()
    }

    pub(super) fn rollouts(&self) -> Vec<RolloutName> {
        self.rollouts.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn ask(&mut self, rollout: &RolloutName, request: &Request, by: &str) -> i64 {
        let number = i64::try_from(self.asked.len()).unwrap_or(i64::MAX).saturating_add(1);
        let asked = RolloutAsked { number, request: request.clone(), by: by.to_owned() };
        self.asked.push((rollout.clone(), asked));
        number
    }

    pub(super) fn requests(&self, rollout: &RolloutName, above: i64) -> Vec<RolloutAsked> {
        let wanted = self.asked.iter().filter(|(name, asked)| name == rollout && asked.number > above);
        wanted.map(|(_, asked)| asked.clone()).collect()
    }

    pub(super) fn put(&mut self, shelf: Shelf, key: &str, body: &str) {
        self.documents.insert((shelf, key.to_owned()), body.to_owned());
    }

    pub(super) fn put_new(&mut self, shelf: Shelf, key: &str, body: &str) -> bool {
        let new = !self.documents.contains_key(&(shelf, key.to_owned()));
        if new {
            self.put(shelf, key, body);
        }
        new
    }

    pub(super) fn all(&self, shelf: Shelf) -> Vec<(String, String)> {
        let there = self.documents.iter().filter(|((kind, _), _)| *kind == shelf);
        there.map(|((_, key), body)| (key.clone(), body.clone())).collect()
    }

    pub(super) fn take_off(&mut self, shelf: Shelf, key: &str) -> bool {
        self.documents.remove(&(shelf, key.to_owned())).is_some()
    }
}
