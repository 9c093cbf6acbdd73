//! `export` and `prune` on a real store.

use jiff::{SignedDuration, Timestamp};

use super::stage::{Stage, append, begun, id, name, noon, paused};
use crate::documents::RunState;
use crate::rollout;
use crate::run::{Event, Request, RunEnd};
use crate::store::{Acquire, SqliteStore, Store};

fn later() -> Timestamp {
    noon() + SignedDuration::from_secs(1)
}

async fn ended(store: &SqliteStore, cluster: &str, run: &str) {
    let lease = begun(store, cluster, run).await;
    append(store, &lease, run, Event::Requested { request: Request::Abort, by: "alice".to_owned() }).await;
    append(store, &lease, run, Event::Ended(RunEnd::Aborted)).await;
}

#[tokio::test]
async fn an_export_has_the_plan_and_every_event_as_it_was_written() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    ended(&store, "orders", "orders-1").await;
    let core = stage.core().await;
    let document = core.export_run("orders").await.unwrap();
    assert_eq!((document.run.as_str(), document.state), ("orders-1", RunState::Aborted));
    let report = core.report("orders-1").await.unwrap();
    assert_eq!((document.plan, document.plan_digest), (report.plan, report.plan_digest));
    let stored = store.sql("SELECT body FROM event ORDER BY seq").await;
    assert_eq!(stored.len(), 4);
    for ((record, body), seq) in document.records.iter().zip(stored).zip(1..) {
        assert_eq!(
            (record.seq, record.epoch, record.format, record.at.clone()),
            (seq, 1, crate::store::format::FORMAT, noon().to_string())
        );
        assert_eq!(record.event, serde_json::from_str::<serde_json::Value>(&body).unwrap());
    }
    assert_eq!(core.export_run("nope").await.unwrap_err().id, "no-such-run");
}

#[tokio::test]
async fn only_runs_that_are_over_are_pruned_and_only_with_consent() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    ended(&store, "orders", "orders-1").await;
    drop(begun(&store, "billing", "billing-1").await);
    let lease = begun(&store, "stock", "stock-1").await;
    paused(&store, &lease, "stock-1").await;
    let core = stage.core().await;
    assert_eq!(
        core.prune_runs(noon(), true, "ann").await.unwrap().runs,
        [],
        "it was not over before that moment"
    );
    let shown = core.prune_runs(later(), false, "ann").await.unwrap();
    assert_eq!(shown.next_commands, ["ratchet export orders-1 --to orders-1.json"]);
    assert_eq!(store.runs().await.unwrap().len(), 3, "it was only shown");
    let done = core.prune_runs(later(), true, "ann").await.unwrap();
    assert_eq!((done.removed, &done.runs), (true, &shown.runs));
    assert_eq!((done.runs[0].run.as_str(), done.runs[0].state), ("orders-1", RunState::Aborted));
    let left: Vec<String> = store.runs().await.unwrap().iter().map(|run| run.id.to_string()).collect();
    assert_eq!(left, ["billing-1", "stock-1"]);
    assert_eq!(core.prune_runs(later(), true, "ann").await.unwrap().runs, [], "twice is once");
}

#[tokio::test]
async fn a_run_that_a_rollout_counts_on_and_one_that_cannot_be_read_are_kept() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    for cluster in ["orders", "billing"] {
        ended(&store, cluster, &format!("{cluster}-1")).await;
    }
    store.sql("UPDATE event SET body = '{}' WHERE run = 'billing-1' AND seq = 2").await;
    let lead = store.lead("alice", None, Acquire::IfFree).await.unwrap();
    let june = "june".parse().unwrap();
    let starting = rollout::Event::Starting { cluster: name("orders"), run: id("orders-1") };
    store.append_rollout(&lead, &june, 1, noon(), &starting).await.unwrap();
    let core = stage.core().await;
    let kept = core.prune_runs(later(), true, "ann").await.unwrap();
    assert_eq!(kept.runs, []);
    let why: Vec<_> = kept.kept.iter().map(|row| (row.run.as_str(), row.why.as_str())).collect();
    assert_eq!(why[0], ("orders-1", "it belongs to the rollout june, which is not over"));
    assert!(why[1].0 == "billing-1" && why[1].1.starts_with("whether it is over cannot be told"), "{why:?}");
    let over = rollout::Event::Ended(rollout::RolloutEnd::Done);
    store.append_rollout(&lead, &june, 2, noon(), &over).await.unwrap();
    let gone = core.prune_runs(later(), true, "ann").await.unwrap();
    assert_eq!(gone.runs.len(), 1);
    assert_eq!(store.runs().await.unwrap().len(), 1);
}
