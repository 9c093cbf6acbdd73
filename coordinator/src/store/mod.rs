//! Where runs and the catalogue are kept: an append-only journal per run, a lease per cluster, requests and packages.

pub mod chain;
pub mod format;
mod lease;
mod postgres;
mod rows;
mod schema;
mod seat;
mod shelf;
mod sqlite;
mod tails;

use std::any::Any;
use std::sync::Arc;

use jiff::Timestamp;
use proto::{ClusterName, Epoch, Package, RolloutName, RunId, StepId};
use serde::{Deserialize, Serialize};

pub use postgres::PostgresStore;
pub use seat::Seat;
pub use shelf::Shelf;
pub use sqlite::SqliteStore;

use crate::rollout;
use crate::run::{Event, Record, Request};
use chain::Owner;
use tails::Tails;

/// The right to drive one cluster, from one store. Whoever holds it is the only one who may append to its runs.
#[derive(Debug)]
pub struct Lease {
    /// The cluster.
    pub cluster: ClusterName,
    /// The fencing number of this turn at driving.
    pub epoch: Epoch,
    tails: Tails,
    /// Held for its drop only.
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lease {
    /// A lease that lasts as long as the guard is not dropped. For stores.
    pub fn new(cluster: ClusterName, epoch: Epoch, guard: impl Any + Send + Sync) -> Self {
        Self { cluster, epoch, tails: Tails::default(), _guard: Box::new(guard) }
    }
}

/// The right to lead: to drive rollouts and to watch over the fleet, from one store.
#[derive(Debug)]
pub struct Lead {
    /// The fencing number of this turn at leading.
    pub epoch: Epoch,
    tails: Tails,
    /// Held for its drop only.
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lead {
    /// A lead that lasts as long as the guard is not dropped. For stores.
    pub fn new(epoch: Epoch, guard: impl Any + Send + Sync) -> Self {
        Self { epoch, tails: Tails::default(), _guard: Box::new(guard) }
    }
}

/// Who leads, as others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    /// The fencing number of the turn at leading.
    pub epoch: Epoch,
    /// User, host and process.
    pub holder: String,
    /// Where it answers, `host:port`; `None` if it answers nobody but its own process.
    pub address: Option<String>,
}

/// Something a person asked of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutAsked {
    /// Its number; they are taken in this order.
    pub number: i64,
    /// What.
    pub request: rollout::Request,
    /// Who.
    pub by: String,
}

/// How to take the right to drive a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquire {
    /// Only if nobody has it.
    IfFree,
    /// Whoever has it, on a person's word: they are fenced from then on.
    Seize {
        /// The new epoch is to be above this one, too.
        above: Epoch,
    },
}

/// The latest turn at driving a cluster, over or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestDriver {
    /// Its fencing number.
    pub epoch: Epoch,
    /// Who took it; empty if a program of the first version did.
    pub holder: String,
}

/// A run as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunListing {
    /// Its id.
    pub id: RunId,
    /// Its cluster.
    pub cluster: ClusterName,
}

/// Something a person asked of a run while somebody else drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Its number; they are taken in this order.
    pub number: i64,
    /// What.
    pub request: Request,
    /// Who.
    pub by: String,
}

/// A step's latest progress: overwritten, never part of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProgressRow {
    /// The step.
    pub step: StepId,
    /// When it was told.
    pub at: Timestamp,
    /// What it is doing.
    pub doing: String,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all, where it is known.
    pub total: Option<u64>,
    /// Bytes a second over the last moments.
    pub rate: Option<u64>,
}

/// An event as it is stored, whatever format it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the journal.
    pub seq: u64,
    /// The fencing number of the driver that wrote it.
    pub epoch: Epoch,
    /// When it was written, as it is stored.
    pub at: String,
    /// The word that it is filed under; `None` where it is not kept beside the body.
    pub kind: Option<String>,
    /// The format of the body.
    pub format: i64,
    /// JSON.
    pub body: String,
    /// Its digest, which covers all events before it; empty if it was written before journals were chained.
    pub chain: String,
}

/// A package as the catalogue keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPackage {
    /// The package.
    pub package: Package,
    /// Its MD5 in hex, where it was computed: older releases are published with nothing better (fact sheet §1.6).
    pub md5: Option<String>,
    /// When it was added.
    pub added_at: Timestamp,
    /// Who added it; empty if that was before it was written down.
    pub added_by: String,
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another driver has the cluster.
    #[error("cluster {cluster} is driven by {holder}")]
    Held {
        /// The cluster.
        cluster: ClusterName,
        /// Who drives it.
        holder: String,
    },
    /// A later driver took the cluster over: nothing may be appended any more.
    #[error("epoch {epoch} of cluster {cluster} is over: a later driver took over")]
    Fenced {
        /// The cluster.
        cluster: ClusterName,
        /// The epoch that is over.
        epoch: Epoch,
        /// Who took over.
        latest: Option<LatestDriver>,
    },
    /// Another coordinator leads.
    #[error("the fleet is led by {holder}")]
    Led {
        /// Who leads.
        holder: String,
    },
    /// A later coordinator leads: nothing may be appended to a rollout any more.
    #[error("epoch {epoch} of leading the fleet is over: another coordinator leads")]
    Deposed {
        /// The epoch that is over.
        epoch: Epoch,
        /// Who leads now.
        latest: Option<LatestDriver>,
    },
    /// There is no such rollout.
    #[error("there is no rollout `{0}`")]
    NoSuchRollout(String),
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NoSuchRun(String),
    /// More than one run begins like that.
    #[error("`{prefix}` could be any of {candidates}")]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// The runs that begin like that.
        candidates: String,
    },
    /// A later program wrote it.
    #[error("{what} is in format {found}; this program knows formats up to {known}")]
    Newer {
        /// What.
        what: String,
        /// Its format.
        found: i64,
        /// The highest format that is known.
        known: i64,
    },
    /// A stored value cannot be read back.
    #[error("the store holds something that cannot be read: {0}")]
    Damaged(String),
    /// The database failed.
    #[error("the store at {location} failed")]
    Database {
        /// Where it is.
        location: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The file system failed.
    #[error("{path} cannot be used")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The configured location is not a store.
    #[error("`{0}` is not a store: use `sqlite:///path/to/ratchet.db` or `postgres://user@host/database`")]
    NotAStore(String),
    /// The configured location is one of a store, and wrong.
    #[error("`{location}` cannot be used as the store: {reason}")]
    Unusable {
        /// The location, without its secrets.
        location: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        remedy: String,
    },
}

/// A durable place for runs, requests and the catalogue.
#[async_trait::async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// Takes the right to drive a cluster, at an epoch above all before it.
    async fn acquire(&self, cluster: &ClusterName, holder: &str, how: Acquire) -> Result<Lease, StoreError>;

    /// Who drives a cluster now, if anybody does.
    async fn driver(&self, cluster: &ClusterName) -> Result<Option<String>, StoreError>;

    /// The latest turn at driving a cluster, whether or not it is over; `None` if there never was one.
    async fn latest_driver(&self, cluster: &ClusterName) -> Result<Option<LatestDriver>, StoreError>;

    /// Starts a run's journal. The lease's epoch is checked in the same transaction.
    async fn create(
        &self,
        lease: &Lease,
        run: &RunId,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError>;

    /// Appends to a run's journal and makes it durable. The lease's epoch is checked in the same transaction.
    async fn append(
        &self,
        lease: &Lease,
        run: &RunId,
        seq: u64,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError>;

    /// A run's journal from the given number on.
    async fn journal(&self, run: &RunId, from_seq: u64) -> Result<Vec<Record>, StoreError>;

    /// A run's journal as it was written down; a store that knows one format only writes it down now.
    async fn verbatim(&self, run: &RunId) -> Result<Vec<StoredEvent>, StoreError> {
        let written = self.journal(run, 1).await?.iter().map(rows::unlinked).collect::<Result<_, _>>()?;
        Ok(Owner::run(run).linked(written))
    }

    /// All runs, oldest first.
    async fn runs(&self) -> Result<Vec<RunListing>, StoreError>;

    /// Leaves a request for the driver of a run.
    async fn ask(&self, run: &RunId, request: &Request, by: &str, at: Timestamp) -> Result<i64, StoreError>;

    /// Requests for a run with numbers above the given one.
    async fn requests(&self, run: &RunId, above: i64) -> Result<Vec<StoredRequest>, StoreError>;

    /// Overwrites a step's progress.
    async fn put_progress(&self, run: &RunId, progress: &StepProgressRow) -> Result<(), StoreError>;

    /// The latest progress of a run's steps.
    async fn progress(&self, run: &RunId) -> Result<Vec<StepProgressRow>, StoreError>;

    /// Adds a package to the catalogue; `false` if one with that digest was there.
    async fn add_package(&self, package: &StoredPackage) -> Result<bool, StoreError>;

    /// The catalogue.
    async fn packages(&self) -> Result<Vec<StoredPackage>, StoreError>;

    /// Takes a package out of the catalogue; `false` if it was not there.
    async fn remove_package(&self, sha256: &proto::Sha256) -> Result<bool, StoreError>;

    /// Takes the right to lead, at an epoch above all before it; `address` is told to others.
    async fn lead(&self, holder: &str, address: Option<&str>, how: Acquire) -> Result<Lead, StoreError>;

    /// Who leads now, if anybody does.
    async fn leader(&self) -> Result<Option<Leader>, StoreError>;

    /// Appends to a rollout's journal and makes it durable; number 1 starts it. The lead's epoch is checked in the same
    /// transaction.
    async fn append_rollout(
        &self,
        lead: &Lead,
        rollout: &RolloutName,
        seq: u64,
        at: Timestamp,
        event: &rollout::Event,
    ) -> Result<rollout::Record, StoreError>;

    /// A rollout's journal from the given number on; empty if there is no such rollout.
    async fn rollout_journal(
        &self,
        rollout: &RolloutName,
        from_seq: u64,
    ) -> Result<Vec<rollout::Record>, StoreError>;

    /// A rollout's journal as it was written down; a store that knows one format only writes it down now.
    async fn verbatim_rollout(&self, rollout: &RolloutName) -> Result<Vec<StoredEvent>, StoreError> {
        let records = self.rollout_journal(rollout, 1).await?;
        let written = records.iter().map(rows::unlinked_of_rollout).collect::<Result<_, _>>()?;
        Ok(Owner::rollout(rollout).linked(written))
    }

    /// All rollouts, oldest first.
    async fn rollouts(&self) -> Result<Vec<RolloutName>, StoreError>;

    /// Leaves a request for whoever leads. The rollout need not exist yet.
    async fn ask_rollout(
        &self,
        rollout: &RolloutName,
        request: &rollout::Request,
        by: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError>;

    /// Requests for a rollout with numbers above the given one.
    async fn rollout_requests(
        &self,
        rollout: &RolloutName,
        above: i64,
    ) -> Result<Vec<RolloutAsked>, StoreError>;

    /// The number of the last event of each run, oldest run first.
    async fn ends(&self) -> Result<Vec<(RunId, u64)>, StoreError>;

    /// Removes a run with everything that belongs to it; `false` if it was not there. Whoever calls this has made sure
    /// that it is over.
    async fn prune(&self, run: &RunId) -> Result<bool, StoreError>;

    /// Puts a document on a shelf in the place of whatever was there under that name.
    async fn put(&self, shelf: Shelf, key: &str, body: &str) -> Result<(), StoreError>;

    /// Puts a document on a shelf unless there is one under that name; `false` if there was.
    async fn put_new(&self, shelf: Shelf, key: &str, body: &str) -> Result<bool, StoreError>;

    /// All documents on a shelf, by name in ascending order.
    async fn shelved(&self, shelf: Shelf) -> Result<Vec<(String, String)>, StoreError>;

    /// Takes a document off its shelf; `false` if it was not there.
    async fn take_off(&self, shelf: Shelf, key: &str) -> Result<bool, StoreError>;
}

/// Opens the store at a location: `sqlite:///path` or `postgres://…`.
///
/// # Errors
/// It is no such location, cannot be used, or has tables of a newer version.
pub async fn open(location: &str) -> Result<Arc<dyn Store>, StoreError> {
    match postgres::is_one(location) {
        true => Ok(Arc::new(PostgresStore::open(location).await?)),
        false => Ok(Arc::new(SqliteStore::open(location).await?)),
    }
}

/// What is wrong with a location as it is written, and what to write instead; `None` if it can be tried.
pub fn mistake(location: &str) -> Option<(String, &'static str)> {
    const WRITE: &str = "write `sqlite:///absolute/path.db` or `postgres://user@host/database`";
    match location.strip_prefix("sqlite://") {
        Some(path) if path.starts_with('/') => None,
        // The same configuration must mean the same store wherever a command is typed.
        Some(_) => Some(("its path is relative".to_owned(), WRITE)),
        None if postgres::is_one(location) => postgres::mistake(location),
        None => Some(("it names no kind of store that this version knows".to_owned(), WRITE)),
    }
}

/// A location as it may be told: without a password.
pub fn shown(location: &str) -> String {
    postgres::shown(location)
}

/// Finds a run by its id or a beginning of it that fits no other.
pub fn find_run(runs: &[RunListing], key: &str) -> Result<RunListing, StoreError> {
    if let Some(exact) = runs.iter().find(|run| run.id.as_str() == key) {
        return Ok(exact.clone());
    }
    let matching: Vec<&RunListing> = runs.iter().filter(|run| run.id.as_str().starts_with(key)).collect();
    match matching[..] {
        [only] => Ok(only.clone()),
        [] => Err(StoreError::NoSuchRun(key.to_owned())),
        _ => {
            let candidates: Vec<&str> = matching.iter().map(|run| run.id.as_str()).collect();
            Err(StoreError::Ambiguous { prefix: key.to_owned(), candidates: candidates.join(", ") })
        }
    }
}

#[cfg(test)]
mod tests;
