//! The primary dies in the middle of work, and the standby takes over.

use std::time::{Duration, Instant};

use pg::Pair;

use super::postgres::Database;
use super::*;

/// Appends before the primary fails, and after another has taken over.
const APPENDS: u64 = 20;

/// What came of a stream of appends in the middle of which the primary failed.
struct Stream {
    acknowledged: Vec<Record>,
    slowest: Duration,
    lease: Lease,
}

/// Appends one event after the other until some time after one of them had to wait for a failover.
async fn append_through(store: &PostgresStore, told: tokio::sync::watch::Sender<u64>) -> Stream {
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    let mut acknowledged = vec![store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap()];
    let (mut slowest, mut after) = (Duration::ZERO, 0);
    while after < APPENDS {
        let (seq, started) = (acknowledged.len() as u64 + 1, Instant::now());
        acknowledged.push(store.append(&lease, &run("r1"), seq, at(), &event(2)).await.unwrap());
        slowest = slowest.max(started.elapsed());
        after += u64::from(slowest > Duration::from_millis(900));
        told.send_replace(seq);
    }
    Stream { acknowledged, slowest, lease }
}

/// What is acknowledged is there, once, and without a gap, whatever dies in between.
async fn nothing_is_lost_or_doubled(pair: &mut Pair, fail: impl AsyncFnOnce(&mut Pair)) {
    let database = Database::of_pair(pair, "fleet");
    let store = Arc::new(database.store().await);
    let (told, mut heard) = tokio::sync::watch::channel(0);
    let appending = tokio::spawn({
        let store = Arc::clone(&store);
        async move { append_through(&store, told).await }
    });
    heard.wait_for(|seq| *seq >= APPENDS).await.unwrap();
    fail(pair).await;
    let Stream { acknowledged, slowest, lease } = appending.await.unwrap();
    assert!(slowest < Duration::from_secs(15), "{slowest:?}");
    let journal = database.store().await.journal(&run("r1"), 1).await.unwrap();
    assert_eq!(journal, acknowledged);
    assert!(journal.iter().zip(1..).all(|(record, seq)| record.seq == seq), "no gap");
    assert_eq!(store.driver(&cluster("orders")).await.unwrap().as_deref(), Some("alice"), "it still drives");
    drop(lease);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_doubled_when_the_primary_dies() {
    if !pg::available("nothing_acknowledged_is_lost_and_nothing_doubled_when_the_primary_dies") {
        return;
    }
    let mut pair = Pair::start().await.unwrap();
    let fail = async |pair: &mut Pair| {
        pair.kill_primary();
        // As long as whoever watches over the database needs to be sure.
        tokio::time::sleep(Duration::from_secs(1)).await;
        pair.promote_standby().unwrap();
    };
    nothing_is_lost_or_doubled(&mut pair, fail).await;
}

/// Whoever watches over the database takes the frozen primary for dead; then it wakes up, and believes itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_doubled_when_the_primary_freezes_and_wakes_up() {
    if !pg::available("nothing_acknowledged_is_lost_and_nothing_doubled_when_the_primary_freezes") {
        return;
    }
    let mut pair = Pair::start().await.unwrap();
    let fail = async |pair: &mut Pair| {
        pair.primary().pause();
        tokio::time::sleep(Duration::from_secs(1)).await;
        pair.promote_standby().unwrap();
        pair.primary().resume();
    };
    nothing_is_lost_or_doubled(&mut pair, fail).await;
}

/// The old primary lives on alone and would take writes: nobody who knows both believes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_was_left_behind_is_not_believed() {
    if !pg::available("a_primary_that_was_left_behind_is_not_believed") {
        return;
    }
    let pair = Pair::start().await.unwrap();
    let database = Database::of_pair(&pair, "fleet");
    let store = database.store().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    pair.promote_standby().unwrap();
    // Its commits wait for a standby that is none any more; the promoted one has none to wait for.
    store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    assert_eq!(store.timeline(), 2);
    let late = database.store().await;
    assert_eq!(late.timeline(), 2);
    assert_eq!(late.journal(&run("r1"), 1).await.unwrap().len(), 2);
}
