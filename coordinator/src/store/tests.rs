mod formats;
mod seizing;

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
async fn a_journal_is_read_back_by_another_process() {
    let place = Place::new();
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    let first = store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    let second = store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    assert_eq!(place.open().await.journal(&run("r1"), 1).await.unwrap(), [first, second.clone()]);
    assert_eq!(store.journal(&run("r1"), 2).await.unwrap(), [second]);
    assert_eq!(store.runs().await.unwrap(), [RunListing { id: run("r1"), cluster: cluster("orders") }]);
}

#[tokio::test]
async fn one_driver_a_cluster_and_whoever_is_refused_learns_who() {
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(other.driver(&cluster("orders")).await.unwrap(), None);
    let lease = one.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    let refused = other.acquire(&cluster("orders"), "bob", Acquire::IfFree).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Held { holder, .. } if holder == "alice"), "{refused}");
    assert_eq!(other.driver(&cluster("orders")).await.unwrap().as_deref(), Some("alice"));
    other.acquire(&cluster("billing"), "bob", Acquire::IfFree).await.unwrap();
    drop(lease);
    let next = other.acquire(&cluster("orders"), "bob", Acquire::IfFree).await.unwrap();
    assert_eq!(next.epoch, Epoch(2), "every turn at driving has an epoch of its own");
}

#[tokio::test]
async fn looking_whether_a_lease_is_held_never_makes_it_look_held() {
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    for _ in 0..50 {
        let name = cluster("orders");
        let (looked, taken) = tokio::join!(other.driver(&name), one.acquire(&name, "alice", Acquire::IfFree));
        looked.unwrap();
        drop(taken.unwrap());
    }
}

#[tokio::test]
async fn an_epoch_that_is_over_appends_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let old = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&old, &run("r1"), at(), &event(1)).await.unwrap();
    // What a lost lock would look like: somebody else has taken the next epoch while the old holder still lives.
    let zombie = Lease::new(old.cluster.clone(), old.epoch, ());
    drop(old);
    let new = store.acquire(&cluster("orders"), "bob", Acquire::IfFree).await.unwrap();
    let fenced = store.append(&zombie, &run("r1"), 2, at(), &event(2)).await.unwrap_err();
    assert!(matches!(fenced, StoreError::Fenced { epoch: Epoch(1), .. }), "{fenced}");
    assert!(matches!(
        store.create(&zombie, &run("r2"), at(), &event(1)).await,
        Err(StoreError::Fenced { .. })
    ));
    store.append(&new, &run("r1"), 2, at(), &event(3)).await.unwrap();
    assert_eq!(store.journal(&run("r1"), 1).await.unwrap().len(), 2);
    assert_eq!(store.runs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_two_events_have_one_number() {
    let place = Place::new();
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    assert!(store.append(&lease, &run("r1"), 2, at(), &event(3)).await.is_err());
    assert!(store.append(&lease, &run("nowhere"), 1, at(), &event(3)).await.is_err());
    assert_eq!(store.journal(&run("r1"), 1).await.unwrap()[1].event, event(2));
}

#[tokio::test]
async fn requests_are_taken_once_and_in_order() {
    let place = Place::new();
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    store.ask(&run("r1"), &Request::Pause, "bob", at()).await.unwrap();
    store.ask(&run("r1"), &Request::Abort, "carol", at()).await.unwrap();
    let all = store.requests(&run("r1"), 0).await.unwrap();
    let asked: Vec<_> = all.iter().map(|request| (request.request.clone(), request.by.as_str())).collect();
    assert_eq!(asked, [(Request::Pause, "bob"), (Request::Abort, "carol")]);
    assert_eq!(store.requests(&run("r1"), all[0].number).await.unwrap().len(), 1);
    assert_eq!(store.requests(&run("r1"), all[1].number).await.unwrap(), []);
}

#[tokio::test]
async fn the_catalogue_keeps_a_package_once() {
    let place = Place::new();
    let store = place.open().await;
    let package = StoredPackage {
        package: Package {
            sha256: Sha256::of(b"package"),
            version: "7.4.6-22".parse().unwrap(),
            os: OsToken("jammy".to_owned()),
            arch: proto::Arch::Amd64,
            size: Some(7),
            sources: vec!["https://mirror.internal/p.tar".to_owned()],
        },
        md5: None,
        added_at: at(),
    };
    assert!(store.add_package(&package).await.unwrap());
    assert!(!store.add_package(&package).await.unwrap());
    assert_eq!(store.packages().await.unwrap(), std::slice::from_ref(&package));
    assert!(store.remove_package(&package.package.sha256).await.unwrap());
    assert!(!store.remove_package(&package.package.sha256).await.unwrap());
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
