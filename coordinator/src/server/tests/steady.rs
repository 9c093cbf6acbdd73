//! A store under a clock that a test has stopped: while it works, no time passes.
//!
//! The database works on threads of its own. A stopped clock would take that for idleness and jump to the next deadline.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use jiff::Timestamp;
use proto::{ClusterName, RolloutName, RunId, Sha256};
use tokio_util::sync::CancellationToken;

use crate::rollout;
use crate::run::{Event, Record, Request};
use crate::store::{
    Acquire, LatestDriver, Lead, Leader, Lease, RolloutAsked, RunListing, Shelf, SqliteStore,
    StepProgressRow, Store, StoreError, StoredEvent, StoredPackage, StoredRequest,
};

/// Another store, with time held while it works. It can be cut off, as if the process that uses it were killed.
#[derive(Debug)]
pub(super) struct Steady {
    store: Arc<dyn Store>,
    over: CancellationToken,
    leases: Mutex<Vec<Arc<Mutex<Option<Held>>>>>,
}

/// What a kernel gives back when a process dies.
#[derive(Debug)]
enum Held {
    Cluster(Lease),
    Fleet(Lead),
}

/// Gives back what is held, when it is dropped.
struct Release(Arc<Mutex<Option<Held>>>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.lock().unwrap().take();
    }
}

impl Steady {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, over: CancellationToken::new(), leases: Mutex::default() }
    }

    /// Whoever uses it gets no further, and holds nothing any more.
    pub(super) fn kill(&self) {
        self.over.cancel();
        for held in self.leases.lock().unwrap().drain(..) {
            match held.lock().unwrap().take() {
                Some(Held::Cluster(lease)) => drop(lease),
                Some(Held::Fleet(lead)) => drop(lead),
                None => {}
            }
        }
    }

    fn hold(&self, held: Held) -> Release {
        let held = Arc::new(Mutex::new(Some(held)));
        self.leases.lock().unwrap().push(Arc::clone(&held));
        Release(held)
    }

    /// Works as long as it is not cut off, in the middle of which it may be, too.
    async fn steady<T>(&self, work: impl Future<Output = T>) -> T {
        let result = self.over.run_until_cancelled(steady(work)).await;
        // What was taken at the moment of the kill is given back here, not kept for as long as nobody gets further.
        match result.filter(|_| !self.over.is_cancelled()) {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }
}

/// How long a store may work, in real time. One that waits for time to pass would wait for ever.
const AT_MOST: Duration = Duration::from_secs(60);

/// Lets something run while no time passes: a clock never jumps while a blocking task is at work.
pub(super) async fn steady<T>(work: impl Future<Output = T>) -> T {
    let (done, wait) = mpsc::channel::<()>();
    let hold = tokio::task::spawn_blocking(move || wait.recv_timeout(AT_MOST));
    tokio::select! {
        biased;
        result = work => {
            drop(done);
            result
        }
        _ = hold => panic!("the store has not answered within {AT_MOST:?}: it waits for time, and none passes"),
    }
}

#[async_trait::async_trait]
impl Store for Steady {
    async fn acquire(&self, cluster: &ClusterName, holder: &str, how: Acquire) -> Result<Lease, StoreError> {
        let lease = self.steady(self.store.acquire(cluster, holder, how)).await?;
        let (cluster, epoch) = (lease.cluster.clone(), lease.epoch);
        Ok(Lease::new(cluster, epoch, self.hold(Held::Cluster(lease))))
    }

    async fn driver(&self, cluster: &ClusterName) -> Result<Option<String>, StoreError> {
        self.steady(self.store.driver(cluster)).await
    }

    async fn latest_driver(&self, cluster: &ClusterName) -> Result<Option<LatestDriver>, StoreError> {
        self.steady(self.store.latest_driver(cluster)).await
    }

    async fn create(
        &self,
        lease: &Lease,
        run: &RunId,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        self.steady(self.store.create(lease, run, at, event)).await
    }

    async fn append(
        &self,
        lease: &Lease,
        run: &RunId,
        seq: u64,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        self.steady(self.store.append(lease, run, seq, at, event)).await
    }

    async fn journal(&self, run: &RunId, from_seq: u64) -> Result<Vec<Record>, StoreError> {
        self.steady(self.store.journal(run, from_seq)).await
    }

    async fn verbatim(&self, run: &RunId) -> Result<Vec<StoredEvent>, StoreError> {
        self.steady(self.store.verbatim(run)).await
    }

    async fn verbatim_rollout(&self, rollout: &RolloutName) -> Result<Vec<StoredEvent>, StoreError> {
        self.steady(self.store.verbatim_rollout(rollout)).await
    }

    async fn runs(&self) -> Result<Vec<RunListing>, StoreError> {
        self.steady(self.store.runs()).await
    }

    async fn ask(&self, run: &RunId, request: &Request, by: &str, at: Timestamp) -> Result<i64, StoreError> {
        self.steady(self.store.ask(run, request, by, at)).await
    }

    async fn requests(&self, run: &RunId, above: i64) -> Result<Vec<StoredRequest>, StoreError> {
        self.steady(self.store.requests(run, above)).await
    }

    async fn put_progress(&self, run: &RunId, progress: &StepProgressRow) -> Result<(), StoreError> {
        self.steady(self.store.put_progress(run, progress)).await
    }

    async fn progress(&self, run: &RunId) -> Result<Vec<StepProgressRow>, StoreError> {
        self.steady(self.store.progress(run)).await
    }

    async fn add_package(&self, package: &StoredPackage) -> Result<bool, StoreError> {
        self.steady(self.store.add_package(package)).await
    }

    async fn packages(&self) -> Result<Vec<StoredPackage>, StoreError> {
        self.steady(self.store.packages()).await
    }

    async fn remove_package(&self, sha256: &Sha256) -> Result<bool, StoreError> {
        self.steady(self.store.remove_package(sha256)).await
    }

    async fn lead(&self, holder: &str, address: Option<&str>, how: Acquire) -> Result<Lead, StoreError> {
        let lead = self.steady(self.store.lead(holder, address, how)).await?;
        Ok(Lead::new(lead.epoch, self.hold(Held::Fleet(lead))))
    }

    async fn leader(&self) -> Result<Option<Leader>, StoreError> {
        self.steady(self.store.leader()).await
    }

    async fn append_rollout(
        &self,
        lead: &Lead,
        rollout: &RolloutName,
        seq: u64,
        at: Timestamp,
        event: &rollout::Event,
    ) -> Result<rollout::Record, StoreError> {
        self.steady(self.store.append_rollout(lead, rollout, seq, at, event)).await
    }

    async fn rollout_journal(
        &self,
        rollout: &RolloutName,
        from_seq: u64,
    ) -> Result<Vec<rollout::Record>, StoreError> {
        self.steady(self.store.rollout_journal(rollout, from_seq)).await
    }

    async fn rollouts(&self) -> Result<Vec<RolloutName>, StoreError> {
        self.steady(self.store.rollouts()).await
    }

    async fn ask_rollout(
        &self,
        rollout: &RolloutName,
        request: &rollout::Request,
        by: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        self.steady(self.store.ask_rollout(rollout, request, by, at)).await
    }

    async fn rollout_requests(
        &self,
        rollout: &RolloutName,
        above: i64,
    ) -> Result<Vec<RolloutAsked>, StoreError> {
        self.steady(self.store.rollout_requests(rollout, above)).await
    }

    async fn ends(&self) -> Result<Vec<(RunId, u64)>, StoreError> {
        self.steady(self.store.ends()).await
    }

    async fn prune(&self, run: &RunId) -> Result<bool, StoreError> {
        self.steady(self.store.prune(run)).await
    }

    async fn put(&self, shelf: Shelf, key: &str, body: &str) -> Result<(), StoreError> {
        self.steady(self.store.put(shelf, key, body)).await
    }

    async fn put_new(&self, shelf: Shelf, key: &str, body: &str) -> Result<bool, StoreError> {
        self.steady(self.store.put_new(shelf, key, body)).await
    }

    async fn shelved(&self, shelf: Shelf) -> Result<Vec<(String, String)>, StoreError> {
        self.steady(self.store.shelved(shelf)).await
    }

    async fn take_off(&self, shelf: Shelf, key: &str) -> Result<bool, StoreError> {
        self.steady(self.store.take_off(shelf, key)).await
    }
}

/// A store in a directory of its own.
async fn store(directory: &tempfile::TempDir) -> Steady {
    let location = format!("sqlite://{}", directory.path().join("ratchet.db").display());
    Steady::new(Arc::new(steady(SqliteStore::open(&location)).await.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_has_is_refused_though_no_time_passes() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (store(&directory).await, store(&directory).await);
    let lease = one.acquire(&"orders".parse().unwrap(), "alice", Acquire::IfFree).await.unwrap();
    let refused = other.acquire(&"orders".parse().unwrap(), "bob", Acquire::IfFree).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    drop(lease);
    other.acquire(&"orders".parse().unwrap(), "bob", Acquire::IfFree).await.unwrap();
}

/// A lease whose taker is killed before he hears of it.
#[tokio::test(start_paused = true)]
async fn what_is_taken_at_the_moment_of_the_kill_is_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(store(&directory).await);
    let lease = Arc::new(());
    let (mine, dying) = (Arc::clone(&lease), Arc::clone(&store));
    let killed = tokio::spawn(async move {
        let killer = Arc::clone(&dying);
        dying.steady(async move { (killer.kill(), mine) }).await
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!killed.is_finished(), "whoever is killed gets no further");
    assert_eq!(Arc::strong_count(&lease), 1, "and holds nothing");
}
