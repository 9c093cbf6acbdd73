//! Taking the lease from somebody who still lives.

use super::*;

pub(super) async fn who_was_seized_from_appends_nothing_and_their_end_frees_nothing(place: &dyn Opens) {
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
    assert_eq!(hung.driver(&name).await.unwrap().as_deref(), Some("bob"), "the old lease is dead");
    let refused = hung.acquire(&name, "carol", Acquire::IfFree).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Held { holder, .. } if holder == "bob"), "{refused}");
    other.append(&new, &run("r1"), 2, at(), &event(3)).await.unwrap();
    drop(new);
    free(&*hung, &name).await;
    assert_eq!(hung.acquire(&name, "carol", Acquire::IfFree).await.unwrap().epoch, Epoch(3));
    assert_eq!(hung.journal(&run("r1"), 1).await.unwrap().len(), 2);
}

pub(super) async fn a_failure_of_who_was_seized_from_names_who_drives_now(place: &dyn Opens) {
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

pub(super) async fn a_seized_epoch_is_above_the_row_and_above_what_the_agents_obey(place: &dyn Opens) {
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

/// However seizing and acquiring are mixed, whoever has the highest epoch has the cluster, and no epoch is given twice.
pub(super) async fn of_many_at_once_the_highest_epoch_has_the_cluster(place: &dyn Opens) {
    let (one, other, name) = (place.open().await, place.open().await, cluster("orders"));
    let mut given = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let taking = (0..6).map(|number| {
            let how = if number % 2 == 0 { Acquire::Seize { above: Epoch(0) } } else { Acquire::IfFree };
            let (store, name) = (if number < 3 { &one } else { &other }, &name);
            async move { store.acquire(name, &format!("driver {number}"), how).await }
        });
        let mut leases = Vec::new();
        for taken in futures::future::join_all(taking).await {
            match taken {
                Ok(lease) => leases.push(lease),
                Err(StoreError::Held { .. } | StoreError::Fenced { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(leases.iter().all(|lease| given.insert(lease.epoch)), "{leases:?}");
        let latest = one.latest_driver(&name).await.unwrap().unwrap();
        let position = leases.iter().position(|lease| lease.epoch == latest.epoch);
        let highest = leases.swap_remove(position.expect("the highest epoch is somebody's"));
        leases.clear();
        for store in [&one, &other] {
            assert_eq!(store.driver(&name).await.unwrap().as_ref(), Some(&latest.holder));
        }
        drop(highest);
        free(&*one, &name).await;
        free(&*other, &name).await;
    }
}

/// Of many who want what is free, exactly one gets it, and epochs rise.
pub(super) async fn of_many_who_want_a_free_cluster_one_gets_it(place: &dyn Opens) {
    let (one, other, name) = (place.open().await, place.open().await, cluster("orders"));
    let mut highest = Epoch(0);
    for _ in 0..5 {
        let wanting = (0..8).map(|number| {
            let (store, name) = (if number % 2 == 0 { &one } else { &other }, &name);
            async move { store.acquire(name, &format!("driver {number}"), Acquire::IfFree).await }
        });
        let taken = futures::future::join_all(wanting).await;
        let leases: Vec<Lease> = taken.into_iter().filter_map(Result::ok).collect();
        assert_eq!(leases.len(), 1);
        assert!(leases[0].epoch > highest);
        highest = leases[0].epoch;
        drop(leases);
        free(&*one, &name).await;
        free(&*other, &name).await;
    }
}
