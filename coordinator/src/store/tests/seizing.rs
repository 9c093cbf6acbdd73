//! Taking the lease from somebody who still lives.

use super::*;
use crate::store::lease::LeaseFile;

/// However seizing and acquiring are mixed, whoever has the highest epoch has the lock that everybody looks at.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_the_highest_epoch_has_the_lock() {
    let place = Arc::new(Place::new());
    let name = cluster("orders");
    for _ in 0..10 {
        let tasks = (0..6).map(|number| {
            let (place, name) = (place.clone(), name.clone());
            tokio::spawn(async move {
                let how = if number % 2 == 0 { Acquire::Seize { above: Epoch(0) } } else { Acquire::IfFree };
                place.open().await.acquire(&name, &format!("driver {number}"), how).await
            })
        });
        let mut leases = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Ok(lease) => leases.push(lease),
                Err(StoreError::Held { .. } | StoreError::Fenced { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let store = place.open().await;
        let latest = store.latest_driver(&name).await.unwrap().unwrap();
        let position = leases.iter().position(|lease| lease.epoch == latest.epoch);
        let highest = leases.swap_remove(position.expect("the highest epoch is somebody's"));
        leases.clear();
        assert_eq!(store.driver(&name).await.unwrap(), Some(latest.holder));
        drop(highest);
        assert_eq!(store.driver(&name).await.unwrap(), None);
    }
}

/// Somebody seizes the lease after another has locked the file that was there, and before that other has its epoch.
#[tokio::test]
async fn a_lock_on_a_file_that_was_taken_away_meanwhile_is_no_lease() {
    let place = Place::new();
    let store = Arc::new(place.open().await);
    let name = cluster("orders");
    let busy = store.begin_for_test().await;
    let acquiring = tokio::spawn({
        let (store, name) = (store.clone(), name.clone());
        async move { store.acquire(&name, "slow", Acquire::IfFree).await }
    });
    while store.driver(&name).await.unwrap().as_deref() != Some("slow") {
        tokio::task::yield_now().await;
    }
    let leases = place.path().with_file_name("ratchet.db.leases");
    let _seized = LeaseFile::seize(&leases, &Seat::Cluster(name.clone()), "faster").unwrap();
    drop(busy);
    let refused = acquiring.await.unwrap().unwrap_err();
    assert!(matches!(&refused, StoreError::Held { holder, .. } if holder == "faster"), "{refused}");
    assert_eq!(store.latest_driver(&name).await.unwrap(), None, "no epoch was used up");
}

/// Somebody seizes the lease after another has its epoch, and before that other has put its file in place.
#[tokio::test]
async fn of_two_who_seize_at_once_the_lower_epoch_does_not_take_the_file() {
    let place = Place::new();
    let store = place.open().await;
    let name = cluster("orders");
    let _first = store.acquire(&name, "alice", Acquire::IfFree).await.unwrap();
    store
        .sql(
            "CREATE TRIGGER in_between AFTER UPDATE ON epoch WHEN NEW.holder = 'slow'
             BEGIN UPDATE epoch SET epoch = epoch + 1, holder = 'faster'; END",
        )
        .await;
    let refused = store.acquire(&name, "slow", Acquire::Seize { above: Epoch(0) }).await.unwrap_err();
    let faster = LatestDriver { epoch: Epoch(3), holder: "faster".to_owned() };
    assert!(
        matches!(&refused, StoreError::Fenced { latest: Some(latest), .. } if *latest == faster),
        "{refused:?}"
    );
    assert_eq!(store.driver(&name).await.unwrap().as_deref(), Some("alice"), "the file is as it was");
}

#[tokio::test]
async fn a_seized_lease_leaves_one_file() {
    let place = Place::new();
    let store = place.open().await;
    let name = cluster("orders");
    let _first = store.acquire(&name, "alice", Acquire::IfFree).await.unwrap();
    let _second = store.acquire(&name, "bob", Acquire::Seize { above: Epoch(0) }).await.unwrap();
    let leases = place.path().with_file_name("ratchet.db.leases");
    let files: Vec<_> = std::fs::read_dir(leases).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["orders.lease"]);
}

#[tokio::test]
async fn a_process_that_was_stopped_while_it_wrote_is_named_in_the_remedy() {
    let place = Place::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(place.directory.path().join("busy.db"))
        .create_if_missing(true)
        .busy_timeout(std::time::Duration::ZERO);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let _stopped = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let source = pool.begin_with("BEGIN IMMEDIATE").await.unwrap_err();
    let failure = proto::Failure::from(StoreError::Database { location: "ratchet.db".to_owned(), source });
    assert_eq!(failure.id, "store-unreachable");
    assert!(failure.remedy.as_ref().unwrap().contains("fuser ratchet.db"), "{failure:?}");
}
