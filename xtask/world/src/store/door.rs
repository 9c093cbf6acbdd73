//! One process's door to the store, with its faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coordinator::rollout;
use coordinator::run::{Event, Record, Request};
use coordinator::store::{
    Acquire, LatestDriver, Lead, Leader, Lease, RolloutAsked, RunListing, Shelf, StepProgressRow, Store,
    StoreError, StoredPackage, StoredRequest,
};
use jiff::Timestamp;
use proto::{ClusterName, RolloutName, RunId};
use tokio::sync::watch;

use super::Truth;
use crate::history::History;
use crate::life::Life;

/// A moment in the life of a process, counted in its durable writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It dies before its write of this number.
    Before(u64),
    /// It dies after it, before anything else.
    After(u64),
    /// This write finds the disk full, and so do those that follow it, so many in all.
    DiskFull {
        /// The first that fails.
        at: u64,
        /// How many fail.
        times: u64,
    },
}

/// What goes wrong between a process and the store.
#[derive(Debug, Default)]
pub struct StoreFaults {
    /// Counted over all lives of the process.
    pub appends: u64,
    /// What is to happen at which append.
    pub cuts: Vec<Cut>,
    /// From this virtual millisecond on there is room again.
    pub heals_at: u64,
}

/// One process's door to the store. It hangs once the process is dead, and while its way to the store is cut.
#[derive(Debug)]
pub struct StoreDoor {
    process: String,
    life: Life,
    truth: Arc<Truth>,
    faults: Arc<Mutex<StoreFaults>>,
    reachable: watch::Receiver<bool>,
    history: History,
}

impl StoreDoor {
    /// A door of a process that lives.
    pub fn new(
        process: &str,
        life: Life,
        truth: Arc<Truth>,
        faults: Arc<Mutex<StoreFaults>>,
        reachable: watch::Receiver<bool>,
        history: History,
    ) -> Self {
        Self { process: process.to_owned(), life, truth, faults, reachable, history }
    }

    /// Resolves when the store can be asked.
    async fn open(&self) {
        let mut reachable = self.reachable.clone();
        if reachable.wait_for(|reachable| *reachable).await.is_err() {
            std::future::pending::<()>().await;
        }
        self.life.hang_if_over().await;
    }

    /// Appends, unless this is the append at which something is to happen.
    async fn write(&self, lease: &Lease, run: &RunId, record: Record) -> Result<Record, StoreError> {
        self.open().await;
        let (number, cut) = self.due();
        match cut {
            Some(Cut::Before(_)) => self.die("before", number).await,
            Some(Cut::DiskFull { .. }) => {
                self.history.fault("store-full", &self.process, format!("append {number}"));
                Err(StoreError::File {
                    path: "the store".to_owned(),
                    source: std::io::ErrorKind::StorageFull.into(),
                })
            }
            Some(Cut::After(_)) => {
                let written = self.truth.append(&self.process, lease, run, record);
                if written.is_ok() { self.die("after", number).await } else { written }
            }
            None => self.truth.append(&self.process, lease, run, record),
        }
    }

    /// Counts an append, and says what is to happen at it.
    fn due(&self) -> (u64, Option<Cut>) {
        let mut faults = lock(&self.faults);
        faults.appends += 1;
        let number = faults.appends;
        let healed = self.history.now() >= faults.heals_at;
        let here = |cut: &&Cut| match cut {
            Cut::Before(at) | Cut::After(at) => *at == number,
            Cut::DiskFull { at, times } => !healed && (*at..at.saturating_add(*times)).contains(&number),
        };
        (number, faults.cuts.iter().find(here).copied())
    }

    async fn die(&self, when: &str, number: u64) -> Result<Record, StoreError> {
        self.history.fault("coordinator-killed-at-record", &self.process, format!("{when} append {number}"));
        self.life.end();
        std::future::pending().await
    }
}

fn lock(faults: &Mutex<StoreFaults>) -> MutexGuard<'_, StoreFaults> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait::async_trait]
impl Store for StoreDoor {
    async fn acquire(&self, cluster: &ClusterName, holder: &str, how: Acquire) -> Result<Lease, StoreError> {
        self.open().await;
        self.truth.acquire(&self.process, cluster, holder, how)
    }

    async fn driver(&self, cluster: &ClusterName) -> Result<Option<String>, StoreError> {
        self.open().await;
        Ok(self.truth.driver(cluster))
    }

    async fn latest_driver(&self, cluster: &ClusterName) -> Result<Option<LatestDriver>, StoreError> {
        self.open().await;
        Ok(self.truth.latest_driver(cluster))
    }

    async fn create(
        &self,
        lease: &Lease,
        run: &RunId,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        self.write(lease, run, Truth::record(lease, 1, at, event)).await
    }

    async fn append(
        &self,
        lease: &Lease,
        run: &RunId,
        seq: u64,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        self.write(lease, run, Truth::record(lease, seq, at, event)).await
    }

    async fn journal(&self, run: &RunId, from_seq: u64) -> Result<Vec<Record>, StoreError> {
        self.open().await;
        let journal = self.truth.journal(run).into_iter().map(|appended| appended.record);
        Ok(journal.filter(|record| record.seq >= from_seq).collect())
    }

    async fn runs(&self) -> Result<Vec<RunListing>, StoreError> {
        self.open().await;
        Ok(self.truth.runs())
    }

    async fn ask(&self, run: &RunId, request: &Request, by: &str, _: Timestamp) -> Result<i64, StoreError> {
        self.open().await;
        let request = StoredRequest { number: 0, request: request.clone(), by: by.to_owned() };
        Ok(self.truth.ask(run, request))
    }

    async fn requests(&self, run: &RunId, above: i64) -> Result<Vec<StoredRequest>, StoreError> {
        self.open().await;
        Ok(self.truth.requests(run, above))
    }

    async fn put_progress(&self, run: &RunId, progress: &StepProgressRow) -> Result<(), StoreError> {
        self.open().await;
        self.truth.put_progress(run, progress);
        Ok(())
    }

    async fn progress(&self, run: &RunId) -> Result<Vec<StepProgressRow>, StoreError> {
        self.open().await;
        Ok(self.truth.progress(run))
    }

    async fn add_package(&self, package: &StoredPackage) -> Result<bool, StoreError> {
        self.open().await;
        Ok(self.truth.add_package(package))
    }

    async fn packages(&self) -> Result<Vec<StoredPackage>, StoreError> {
        self.open().await;
        Ok(self.truth.packages())
    }

    async fn remove_package(&self, sha256: &proto::Sha256) -> Result<bool, StoreError> {
        self.open().await;
        Ok(self.truth.remove_package(sha256))
    }

    async fn lead(&self, holder: &str, address: Option<&str>, how: Acquire) -> Result<Lead, StoreError> {
        self.open().await;
        self.truth.shelves().lead(holder, address, how)
    }

    async fn leader(&self) -> Result<Option<Leader>, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().leader())
    }

    async fn append_rollout(
        &self,
        lead: &Lead,
        rollout: &RolloutName,
        seq: u64,
        at: Timestamp,
        event: &rollout::Event,
    ) -> Result<rollout::Record, StoreError> {
        self.open().await;
        let record = rollout::Record { seq, epoch: lead.epoch, at, event: event.clone() };
        self.truth.shelves().append(rollout, record)
    }

    async fn rollout_journal(
        &self,
        rollout: &RolloutName,
        from_seq: u64,
    ) -> Result<Vec<rollout::Record>, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().journal(rollout, from_seq))
    }

    async fn rollouts(&self) -> Result<Vec<RolloutName>, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().rollouts())
    }

    async fn ask_rollout(
        &self,
        rollout: &RolloutName,
        request: &rollout::Request,
        by: &str,
        _: Timestamp,
    ) -> Result<i64, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().ask(rollout, request, by))
    }

    async fn rollout_requests(
        &self,
        rollout: &RolloutName,
        above: i64,
    ) -> Result<Vec<RolloutAsked>, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().requests(rollout, above))
    }

    async fn ends(&self) -> Result<Vec<(RunId, u64)>, StoreError> {
        self.open().await;
        let end = |listing: RunListing| {
            let last = self.truth.journal(&listing.id).last().map_or(0, |appended| appended.record.seq);
            (listing.id, last)
        };
        Ok(self.truth.runs().into_iter().map(end).collect())
    }

    async fn prune(&self, run: &RunId) -> Result<bool, StoreError> {
        self.open().await;
        Ok(self.truth.prune(run))
    }

    async fn put(&self, shelf: Shelf, key: &str, body: &str) -> Result<(), StoreError> {
        self.open().await;
        self.truth.shelves().put(shelf, key, body);
        Ok(())
    }

    async fn put_new(&self, shelf: Shelf, key: &str, body: &str) -> Result<bool, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().put_new(shelf, key, body))
    }

    async fn shelved(&self, shelf: Shelf) -> Result<Vec<(String, String)>, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().all(shelf))
    }

    async fn take_off(&self, shelf: Shelf, key: &str) -> Result<bool, StoreError> {
        self.open().await;
        Ok(self.truth.shelves().take_off(shelf, key))
    }
}
