//! One suite for both engines, and what only one of them can do.

mod chains;
mod failover;
mod formats;
mod lost;
mod postgres;
mod seizing;
mod suite;

use proto::{NodeUid, OsToken, Package, Sha256};

use super::*;
use crate::run::{Event, Request};

fn at() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn cluster(name: &str) -> ClusterName {
    name.parse().unwrap()
}

fn run(name: &str) -> RunId {
    name.parse().unwrap()
}

fn event(node: u32) -> Event {
    Event::Claimed { node: NodeUid(node), memory: None }
}

/// Where stores are opened: each is like another process.
#[async_trait::async_trait]
trait Opens: Send + Sync {
    async fn open(&self) -> Arc<dyn Store>;
}

#[async_trait::async_trait]
impl Opens for Place {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.try_open().await.unwrap())
    }
}

/// Waits until another process sees that a cluster was let go of.
async fn free(store: &dyn Store, cluster: &ClusterName) {
    let freed = async {
        while store.driver(cluster).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), freed).await.expect("the cluster is not freed");
}

/// A place for the embedded store.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> SqliteStore {
        self.try_open().await.unwrap()
    }

    async fn try_open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&format!("sqlite://{}", self.path().display())).await
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("deep/er/ratchet.db")
    }
}

#[tokio::test]
async fn other_places_are_refused() {
    for location in ["", "ratchet.db", "sqlite://", "postgres://db/ratchet"] {
        assert!(matches!(SqliteStore::open(location).await, Err(StoreError::NotAStore(_))), "{location}");
    }
}

#[test]
fn a_run_is_found_by_a_beginning_that_fits_no_other() {
    let listing = |name: &str| RunListing { id: run(name), cluster: cluster("orders") };
    let runs = [listing("orders-1"), listing("orders-12"), listing("billing-1")];
    assert_eq!(find_run(&runs, "bill").unwrap().id, run("billing-1"));
    assert_eq!(find_run(&runs, "orders-1").unwrap().id, run("orders-1"), "an exact name wins");
    assert!(matches!(find_run(&runs, "orders"), Err(StoreError::Ambiguous { .. })));
    assert!(matches!(find_run(&runs, "nope"), Err(StoreError::NoSuchRun(_))));
}
