//! Journals of runs, requests and packages.

use super::*;

pub(super) async fn a_journal_is_read_back_by_another_process(place: &dyn Opens) {
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    let first = store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    let second = store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    assert_eq!(place.open().await.journal(&run("r1"), 1).await.unwrap(), [first, second.clone()]);
    let written = store.verbatim(&run("r1")).await.unwrap();
    let body = serde_json::to_string(&event(2)).unwrap();
    let (seq, epoch, kind) = (second.seq, second.epoch, Some("claimed".to_owned()));
    let (at, format, chain) = (at().to_string(), format::FORMAT, written[1].chain.clone());
    assert_eq!(written[1], StoredEvent { seq, epoch, at, kind, format, body, chain });
    assert_eq!(chain::verify(Owner::run(&run("r1")), &written).unwrap().head.unwrap().seq, 2);
    assert_eq!((written.len(), written[0].seq), (2, 1));
    assert_eq!(store.journal(&run("r1"), 2).await.unwrap(), [second]);
    assert_eq!(store.runs().await.unwrap(), [RunListing { id: run("r1"), cluster: cluster("orders") }]);
}

pub(super) async fn one_driver_a_cluster_and_whoever_is_refused_learns_who(place: &dyn Opens) {
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(other.driver(&cluster("orders")).await.unwrap(), None);
    let lease = one.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    let refused = other.acquire(&cluster("orders"), "bob", Acquire::IfFree).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Held { holder, .. } if holder == "alice"), "{refused}");
    assert_eq!(other.driver(&cluster("orders")).await.unwrap().as_deref(), Some("alice"));
    other.acquire(&cluster("billing"), "bob", Acquire::IfFree).await.unwrap();
    drop(lease);
    free(&*other, &cluster("orders")).await;
    let next = other.acquire(&cluster("orders"), "bob", Acquire::IfFree).await.unwrap();
    assert_eq!(next.epoch, Epoch(2), "every turn at driving has an epoch of its own");
}

pub(super) async fn looking_whether_a_lease_is_held_never_makes_it_look_held(place: &dyn Opens) {
    let (one, other) = (place.open().await, place.open().await);
    for _ in 0..50 {
        let name = cluster("orders");
        let (looked, taken) = tokio::join!(other.driver(&name), one.acquire(&name, "alice", Acquire::IfFree));
        looked.unwrap();
        drop(taken.unwrap());
        free(&*other, &name).await;
    }
}

pub(super) async fn an_epoch_that_is_over_appends_nothing(place: &dyn Opens) {
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

pub(super) async fn no_two_events_have_one_number(place: &dyn Opens) {
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    assert!(store.append(&lease, &run("r1"), 2, at(), &event(3)).await.is_err());
    assert!(store.append(&lease, &run("nowhere"), 1, at(), &event(3)).await.is_err());
    assert_eq!(store.journal(&run("r1"), 1).await.unwrap()[1].event, event(2));
}

pub(super) async fn requests_are_taken_once_and_in_order(place: &dyn Opens) {
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

pub(super) async fn the_catalogue_keeps_a_package_once(place: &dyn Opens) {
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
        added_by: "spiffe://prod/operator/alice".to_owned(),
    };
    assert!(store.add_package(&package).await.unwrap());
    assert!(!store.add_package(&package).await.unwrap());
    assert_eq!(store.packages().await.unwrap(), std::slice::from_ref(&package));
    assert!(store.remove_package(&package.package.sha256).await.unwrap());
    assert!(!store.remove_package(&package.package.sha256).await.unwrap());
}

pub(super) async fn nothing_can_be_asked_of_a_run_that_is_not_there(place: &dyn Opens) {
    let store = place.open().await;
    assert!(store.ask(&run("nowhere"), &Request::Pause, "bob", at()).await.is_err());
    assert!(!store.prune(&run("nowhere")).await.unwrap());
}

/// Only the latest progress of a step is kept.
pub(super) async fn progress_is_overwritten(place: &dyn Opens) {
    let store = place.open().await;
    begun(&*store, "r1").await;
    for done in [1, 2] {
        store.put_progress(&run("r1"), &progress(done)).await.unwrap();
    }
    assert_eq!(store.progress(&run("r1")).await.unwrap(), [progress(2)]);
}

/// A run that is pruned leaves nothing behind, and no other run loses anything.
pub(super) async fn pruning_takes_one_run_with_all_that_belongs_to_it(place: &dyn Opens) {
    let store = place.open().await;
    for name in ["r1", "r2"] {
        let lease = begun(&*store, name).await;
        store.append(&lease, &run(name), 2, at(), &event(2)).await.unwrap();
        store.ask(&run(name), &Request::Pause, "bob", at()).await.unwrap();
        store.put_progress(&run(name), &progress(1)).await.unwrap();
    }
    assert_eq!(store.ends().await.unwrap(), [(run("r1"), 2), (run("r2"), 2)]);
    assert!(store.prune(&run("r1")).await.unwrap());
    assert!(!store.prune(&run("r1")).await.unwrap());
    assert_eq!(store.ends().await.unwrap(), [(run("r2"), 2)]);
    assert_eq!(store.runs().await.unwrap().len(), 1);
    assert_eq!(store.journal(&run("r1"), 1).await.unwrap(), []);
    assert_eq!(store.requests(&run("r1"), 0).await.unwrap(), []);
    assert_eq!(store.progress(&run("r1")).await.unwrap(), []);
    assert_eq!(store.journal(&run("r2"), 1).await.unwrap().len(), 2);
    assert_eq!(store.requests(&run("r2"), 0).await.unwrap().len(), 1);
    assert_eq!(store.progress(&run("r2")).await.unwrap().len(), 1);
}

async fn begun(store: &dyn Store, name: &str) -> Lease {
    let how = Acquire::Seize { above: Epoch(0) };
    let lease = store.acquire(&cluster("orders"), "alice", how).await.unwrap();
    store.create(&lease, &run(name), at(), &event(1)).await.unwrap();
    lease
}

fn progress(done: u64) -> StepProgressRow {
    let (step, doing) = ("r1.n1.fetch".parse().unwrap(), "fetching".to_owned());
    StepProgressRow { step, at: at(), doing, done, total: Some(7), rate: None }
}
