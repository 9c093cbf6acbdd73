//! What the store holds, whoever asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coordinator::run::{Event, Record};
use coordinator::store::{
    Acquire, LatestDriver, Lease, RunListing, StepProgressRow, StoreError, StoredPackage, StoredRequest,
};
use jiff::Timestamp;
use proto::{ClusterName, Epoch, RunId, StepId};
use tokio::sync::watch;

use super::shelves::Shelves;
use crate::history::History;

/// A record with the virtual millisecond in which it was written: records carry the driver's clock, which may jump.
#[derive(Clone, Debug)]
pub struct Appended {
    /// When, in virtual milliseconds.
    pub at_ms: u64,
    /// By which process.
    pub by: String,
    /// The record.
    pub record: Record,
}

/// Everything in the store.
#[derive(Debug)]
pub struct Truth {
    history: History,
    held: Mutex<Held>,
    shelves: Mutex<Shelves>,
    /// How many records there are; wakes those who wait for news.
    count: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Held {
    epochs: BTreeMap<ClusterName, LatestDriver>,
    /// The process and the number of the lease that counts.
    leases: BTreeMap<ClusterName, (String, u64)>,
    lease_number: u64,
    runs: Vec<RunListing>,
    journals: BTreeMap<RunId, Vec<Appended>>,
    requests: Vec<(RunId, StoredRequest)>,
    progress: BTreeMap<(RunId, StepId), StepProgressRow>,
    packages: Vec<StoredPackage>,
}

/// Gives the lease back when it is dropped, unless somebody has it by now.
struct Guard {
    truth: Arc<Truth>,
    cluster: ClusterName,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut held = self.truth.held();
        if held.leases.get(&self.cluster).is_some_and(|(_, number)| *number == self.number) {
            held.leases.remove(&self.cluster);
        }
    }
}

impl Truth {
    /// An empty store.
    pub fn new(history: History) -> Arc<Self> {
        Arc::new(Self {
            history,
            held: Mutex::default(),
            shelves: Mutex::default(),
            count: watch::Sender::new(0),
        })
    }

    /// Resolves when there is a record more than now.
    pub async fn news(&self) {
        let mut count = self.count.subscribe();
        count.mark_unchanged();
        // The sender lives in this very store, so waiting cannot fail.
        let _ = count.changed().await;
    }

    /// What is there beside runs.
    pub(super) fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a run with everything that belongs to it.
    pub fn prune(&self, run: &RunId) -> bool {
        let mut held = self.held();
        held.requests.retain(|(of, _)| of != run);
        held.progress.retain(|(of, _), _| of != run);
        held.runs.retain(|listing| listing.id != *run);
        held.journals.remove(run).is_some()
    }

    /// All runs, oldest first.
    pub fn runs(&self) -> Vec<RunListing> {
        self.held().runs.clone()
    }

    /// The journal of a run as it was written.
    pub fn journal(&self, run: &RunId) -> Vec<Appended> {
        self.held().journals.get(run).cloned().unwrap_or_default()
    }

    /// A process has died: the kernel gives its leases back.
    pub fn died(&self, process: &str) {
        self.held().leases.retain(|_, (holder, _)| holder != process);
    }

    pub(super) fn acquire(
        self: &Arc<Self>,
        process: &str,
        cluster: &ClusterName,
        holder: &str,
        how: Acquire,
    ) -> Result<Lease, StoreError> {
        let mut held = self.held();
        let above = match how {
            Acquire::IfFree => match held.leases.get(cluster) {
                Some((holder, _)) => {
                    return Err(StoreError::Held { cluster: cluster.clone(), holder: holder.clone() });
                }
                None => Epoch(0),
            },
            Acquire::Seize { above } => above,
        };
        let latest = held.epochs.get(cluster).map_or(Epoch(0), |latest| latest.epoch);
        let epoch = Epoch(latest.max(above).0 + 1);
        held.epochs.insert(cluster.clone(), LatestDriver { epoch, holder: holder.to_owned() });
        held.lease_number += 1;
        let number = held.lease_number;
        held.leases.insert(cluster.clone(), (process.to_owned(), number));
        let guard = Guard { truth: Arc::clone(self), cluster: cluster.clone(), number };
        self.history.note(process, format!("holds the lease at epoch {epoch} ({how:?})"));
        Ok(Lease::new(cluster.clone(), epoch, guard))
    }

    pub(super) fn driver(&self, cluster: &ClusterName) -> Option<String> {
        self.held().leases.get(cluster).map(|(holder, _)| holder.clone())
    }

    pub(super) fn latest_driver(&self, cluster: &ClusterName) -> Option<LatestDriver> {
        self.held().epochs.get(cluster).cloned()
    }

    pub(super) fn append(
        &self,
        process: &str,
        lease: &Lease,
        run: &RunId,
        record: Record,
    ) -> Result<Record, StoreError> {
        let mut held = self.held();
        let latest = held.epochs.get(&lease.cluster);
        if latest.is_none_or(|latest| latest.epoch != lease.epoch) {
            let latest = latest.cloned();
            return Err(StoreError::Fenced { cluster: lease.cluster.clone(), epoch: lease.epoch, latest });
        }
        if let Event::Created { .. } = record.event {
            self.history.call(run.as_str(), "RUN");
            held.runs.push(RunListing { id: run.clone(), cluster: lease.cluster.clone() });
        }
        let journal = held.journals.entry(run.clone()).or_default();
        if record.seq != journal.len() as u64 + 1 {
            return Err(StoreError::Damaged(format!(
                "record {} does not fit the journal of {run}",
                record.seq
            )));
        }
        let (at_ms, by) = (self.history.now(), process.to_owned());
        journal.push(Appended { at_ms, by, record: record.clone() });
        let told = coordinator::documents::event_document(run, &record);
        let node = told.node.map(|uid| format!(" n{uid}")).unwrap_or_default();
        let place = format!("epoch {} #{} {}{node}", record.epoch, record.seq, told.kind);
        self.history.note(process, format!("{place}: {}", told.text));
        self.count.send_modify(|count| *count += 1);
        Ok(record)
    }

    pub(super) fn ask(&self, run: &RunId, request: StoredRequest) -> i64 {
        let mut held = self.held();
        let number = held.requests.len() as i64 + 1;
        held.requests.push((run.clone(), StoredRequest { number, ..request }));
        number
    }

    pub(super) fn requests(&self, run: &RunId, above: i64) -> Vec<StoredRequest> {
        let held = self.held();
        let wanted = held.requests.iter().filter(|(of, request)| of == run && request.number > above);
        wanted.map(|(_, request)| request.clone()).collect()
    }

    pub(super) fn put_progress(&self, run: &RunId, row: &StepProgressRow) {
        self.held().progress.insert((run.clone(), row.step.clone()), row.clone());
    }

    pub(super) fn progress(&self, run: &RunId) -> Vec<StepProgressRow> {
        let held = self.held();
        held.progress.iter().filter(|((of, _), _)| of == run).map(|(_, row)| row.clone()).collect()
    }

    pub(super) fn add_package(&self, package: &StoredPackage) -> bool {
        let mut held = self.held();
        let new = held.packages.iter().all(|known| known.package.sha256 != package.package.sha256);
        if new {
            held.packages.push(package.clone());
        }
        new
    }

    pub(super) fn packages(&self) -> Vec<StoredPackage> {
        self.held().packages.clone()
    }

    pub(super) fn remove_package(&self, sha256: &proto::Sha256) -> bool {
        let mut held = self.held();
        let before = held.packages.len();
        held.packages.retain(|package| package.package.sha256 != *sha256);
        held.packages.len() != before
    }

    /// The time of a record is not the store's matter.
    pub(super) fn record(lease: &Lease, seq: u64, at: Timestamp, event: &Event) -> Record {
        Record { seq, epoch: lease.epoch, at, event: event.clone() }
    }

    /// What is behind the lock is whole between any two statements.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
