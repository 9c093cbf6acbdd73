//! Taking the lease from somebody who still lives.

use super::*;
use crate::store::lease::LeaseFile;

#[tokio::test]
async fn who_was_seized_from_appends_nothing_and_their_end_frees_nothing() {
    let place = Place::new();
    let (hung, other) = (place.open().await, place.open().await);
    let name = cluster("orders");
    let old = hung.acquire(&name, "alice", Acquire::IfFree).await.unwrap();
    hung.create(&old, &run("r1"), at(), &event(1)).await.unwrap();
    let new = other.acquire(&name, "bob", Acquire::Seize { above: Epoch(0) }).await.unwrap();
    assert_eq!(new.epoch, Epoch(2));
    // The hung one wakes up.
    let fenced = hung.append(&old, &run("r1"), 2, at(), &event(2)).await.unwrap_err();
    let StoreError::Fenced { epoch, latest, .. } = &fenced else { panic!("{fenced}") };
    assert_eq!(*epoch, Epoch(1));
    assert_eq!(*latest, Some(LatestDriver { epoch: Epoch(2), holder: "bob".to_owned() }));
    for store in [&hung, &other] {
        assert_eq!(store.driver(&name).await.unwrap().as_deref(), Some("bob"));
    }
    drop(old);
    assert_eq!(hung.driver(&name).await.unwrap().as_deref(), Some("bob"), "the old lock is on a dead file");
    let refused = hung.acquire(&name, "carol", Acquire::IfFree).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Held { holder, .. } if holder == "bob"), "{refused}");
    other.append(&new, &run("r1"), 2, at(), &event(3)).await.unwrap();
    drop(new);
    assert_eq!(hung.driver(&name).await.unwrap(), None);
    assert_eq!(hung.acquire(&name, "carol", Acquire::IfFree).await.unwrap().epoch, Epoch(3));
    assert_eq!(hung.journal(&run("r1"), 1).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_failure_of_who_was_seized_from_names_who_drives_now() {
    let place = Place::new();
    let store = place.open().await;
    let name = cluster("orders");
    let old = store.acquire(&name, "alice", Acquire::IfFree).await.unwrap();
    let _new =
        store.acquire(&name, "bob@ops2 (process 7)", Acquire::Seize { above: Epoch(11) }).await.unwrap();
    let failure = proto::Failure::from(store.create(&old, &run("r1"), at(), &event(1)).await.unwrap_err());
    assert_eq!(failure.id, "superseded");
    assert_eq!(
        failure.message,
        "orders is driven by bob@ops2 (process 7) now, at epoch 12; this coordinator has stopped and starts nothing \
         any more"
    );
}

#[tokio::test]
async fn a_seized_epoch_is_above_the_row_and_above_what_the_agents_obey() {
    let place = Place::new();
    let store = place.open().await;
    let name = cluster("orders");
    assert_eq!(store.latest_driver(&name).await.unwrap(), None);
    let seize = async |above| {
        store.acquire(&name, "alice", Acquire::Seize { above: Epoch(above) }).await.unwrap().epoch
    };
    assert_eq!(seize(0).await, Epoch(1));
    assert_eq!(seize(41).await, Epoch(42));
    assert_eq!(seize(7).await, Epoch(43));
    assert_eq!(store.acquire(&name, "bob", Acquire::IfFree).await.unwrap().epoch, Epoch(44));
    let latest = store.latest_driver(&name).await.unwrap().unwrap();
    assert_eq!(latest, LatestDriver { epoch: Epoch(44), holder: "bob".to_owned() });
    assert_eq!(store.latest_driver(&cluster("billing")).await.unwrap(), None);
}

/// However seizing and acquiring are mixed, whoever has the highest epoch has the lock that everybody looks at.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_the_highest_epoch_has_the_lock() {
    let place = std::sync::Arc::new(Place::new());
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
    let store = std::sync::Arc::new(place.open().await);
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
