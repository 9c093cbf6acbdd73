//! Drivers that end in another way than by their run's standing still, and runs that nobody drives.

use proto::{Epoch, Failure, FailureKind};

use super::stage::{Stage, append, begun, id, name, paused};
use crate::documents::{RunState, WatchDocument};
use crate::run::Event;
use crate::server::Core;
use crate::server::drivers::{Drivers, Told};
use crate::server::runs::Watching;
use crate::store::{Acquire, Store};

/// Everything there is to tell of a run, and why it ended if not by itself.
pub(super) async fn told(core: &Core, watching: &mut Watching) -> (Vec<WatchDocument>, Option<Failure>) {
    let mut all = Vec::new();
    loop {
        match core.news(watching).await {
            Ok(Some(news)) => all.push(news),
            Ok(None) => return (all, None),
            Err(failure) => return (all, Some(failure)),
        }
    }
}

pub(super) fn kinds(news: &[WatchDocument]) -> Vec<String> {
    news.iter().flat_map(|news| news.events.iter().map(|event| event.kind.clone())).collect()
}

#[tokio::test]
async fn a_coordinator_that_starts_goes_on_with_what_was_interrupted_and_with_nothing_else() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r-interrupted").await);
    let lease = begun(&store, "billing", "r-paused").await;
    paused(&store, &lease, "r-paused").await;
    drop(lease);
    let lease = begun(&store, "users", "r-halted").await;
    let failure = Failure::operator("gate-shut", "the gate stayed shut", "repair");
    let halt = crate::run::Halt { node: None, step: None, failure };
    append(&store, &lease, "r-halted", Event::Halted(Box::new(halt))).await;
    drop(lease);
    let _driven_by_another = begun(&store, "stock", "r-driven").await;
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    let (news, failure) = told(&core, &mut core.watching(id("r-interrupted"), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(news.last().unwrap().run.state, RunState::Blocked, "the agents have no room");
    assert!(kinds(&news).contains(&"claimed".to_owned()), "{:?}", kinds(&news));
    assert_eq!(stage.holders(), [None, None, None], "the claims are given back");
    for (run, events) in [("r-paused", 4), ("r-halted", 3), ("r-driven", 2)] {
        assert_eq!(store.journal(&id(run), 1).await.unwrap().len(), events, "{run}");
    }
}

#[tokio::test]
async fn nothing_is_gone_on_with_where_there_is_nothing() {
    let stage = Stage::new();
    stage.core().await.go_on_with_interrupted().await;
    assert_eq!(stage.obeyed(), [0, 0, 0]);
}

#[tokio::test]
async fn a_driver_that_is_superseded_ends_and_everybody_who_watches_learns_by_whom() {
    let stage = Stage::new();
    let other = stage.store("ratchet.db").await;
    drop(begun(&other, "orders", "r1").await);
    stage.agents[0].let_steps_end(false);
    let core = stage.core().await;
    let mut watching = [core.watching(id("r1"), 1), core.watching(id("r1"), 1)];
    core.go_on_with_interrupted().await;
    stage.agents[0].until_ordered().await;
    let seize = Acquire::Seize { above: Epoch(40) };
    let _lease = other.acquire(&name("orders"), "carol@ops3 (process 9)", seize).await.unwrap();
    stage.agents[0].let_steps_end(true);
    let mut events = 0;
    for watching in &mut watching {
        let (news, failure) = told(&core, watching).await;
        let failure = failure.expect("the watcher must learn it");
        assert_eq!((failure.id.as_str(), failure.kind), ("superseded", FailureKind::Operator));
        assert_eq!(
            failure.message,
            "orders is driven by carol@ops3 (process 9) now, at epoch 41; this coordinator has stopped and starts \
             nothing any more"
        );
        assert_eq!(failure.remedy.as_deref(), Some("ratchet watch r1"));
        events = kinds(&news).len();
    }
    assert_eq!(other.journal(&id("r1"), 1).await.unwrap().len(), events, "nothing was appended after it");
    // Whoever comes later looks on at what the new driver does.
    let mut later = core.watching(id("r1"), 1);
    assert!(core.news(&mut later).await.unwrap().is_some());
    assert_eq!(core.document(&id("r1"), None).await.unwrap().state, RunState::Running);
}

#[tokio::test]
async fn a_superseded_driver_stops_though_its_step_goes_on_for_ever() {
    let stage = Stage::new();
    let other = stage.store("ratchet.db").await;
    drop(begun(&other, "orders", "r1").await);
    stage.agents.iter().for_each(|agent| agent.let_steps_end(false));
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    stage.agents[2].until_ordered().await;
    let written = other.journal(&id("r1"), 1).await.unwrap().len();
    let _lease = other.acquire(&name("orders"), "carol", Acquire::Seize { above: Epoch(0) }).await.unwrap();
    let (_, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    assert_eq!(failure.expect("it must not wait for its step").id, "superseded");
    assert_eq!(other.journal(&id("r1"), 1).await.unwrap().len(), written);
}

#[tokio::test]
async fn a_driver_that_an_agent_calls_superseded_is_and_says_how_to_take_over() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    // Another coordinator, with a store of its own, was there in between.
    stage.agents[1].with(|state| state.highest = Epoch(7));
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    let (news, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    let failure = failure.expect("nobody drives it any more, and that must be told");
    assert_eq!(failure.id, "superseded");
    assert!(failure.message.starts_with("orders is driven by another coordinator now"), "{failure}");
    assert!(failure.cause.as_ref().unwrap().contains("epoch 2 is over: this agent obeys 7"), "{failure}");
    assert!(failure.remedy.unwrap().contains("ratchet takeover orders"));
    assert!(!kinds(&news).contains(&"step_intended".to_owned()), "{:?}", kinds(&news));
}

#[tokio::test]
async fn a_driver_whose_store_takes_nothing_more_ends_and_says_so() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    stage.agents[0].let_steps_end(false);
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    stage.agents[0].until_ordered().await;
    store.sql("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk full'); END").await;
    stage.agents[0].let_steps_end(true);
    let (_, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    let failure = failure.expect("a command must not watch for ever");
    assert_eq!(failure.id, "store-unreachable");
    assert!(failure.message.starts_with("run r1 of orders is no longer driven: "), "{failure}");
    assert!(failure.cause.as_ref().unwrap().contains("disk full"), "{failure}");
    assert!(failure.remedy.unwrap().ends_with("; then: ratchet resume r1"));
    store.sql("DROP TRIGGER full").await;
    assert_eq!(core.document(&id("r1"), None).await.unwrap().state, RunState::Interrupted);
    core.go_on_with_interrupted().await;
    let (news, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    assert!(failure.is_none(), "an old failure is not told of a new driver: {failure:?}");
    assert_eq!(news.last().unwrap().run.state, RunState::Blocked);
}

/// A driver gives its lease up a moment before it says how it ended: whoever watches must not leave in that moment.
#[tokio::test]
async fn a_watcher_waits_for_a_driver_that_has_not_said_how_it_ended() {
    let stage = Stage::new();
    drop(begun(&stage.store("ratchet.db").await, "orders", "r1").await);
    let core = stage.core().await;
    core.drivers.begun(&id("r1"));
    let mut watching = core.watching(id("r1"), 1);
    let news = core.news(&mut watching).await.unwrap().unwrap();
    assert_eq!(news.run.state, RunState::Interrupted);
    let left = tokio::time::timeout(std::time::Duration::from_millis(400), core.news(&mut watching)).await;
    assert!(left.is_err(), "it left: {left:?}");
    core.drivers.failed(&id("r1"), Failure::operator("store-unreachable", "it is full", "make room"));
    assert_eq!(core.news(&mut watching).await.unwrap_err().id, "store-unreachable");
}

#[tokio::test]
async fn an_abort_that_could_not_be_written_is_no_success() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    stage.agents[2].with(|state| state.highest = Epoch(9));
    let failure = stage.core().await.abort("r1", "ann").await.unwrap_err();
    assert_eq!(failure.id, "superseded", "{failure}");
}

#[test]
fn a_failure_is_told_once_to_later_ones_always_to_watchers_and_while_nobody_drives() {
    let drivers = Drivers::default();
    let run = id("r1");
    let failure = || Failure::operator("superseded", "somebody else", "watch");
    let is_told = |known, nobody| matches!(drivers.tell(&run, known, nobody), Told::Failed(_));
    assert!(matches!(drivers.tell(&run, 0, true), Told::Nothing));
    drivers.begun(&run);
    assert!(matches!(drivers.tell(&run, 0, true), Told::AtWork));
    drivers.failed(&run, failure());
    let known = drivers.failures();
    assert!(is_told(known, false), "nobody was told yet");
    assert!(!is_told(known, false), "a later watcher looks on at the new driver");
    assert!(is_told(known - 1, false), "who watched when it happened is told, too");
    assert!(is_told(known, true), "while nobody drives there is nothing to look on at");
    drivers.begun(&run);
    drivers.stands(&run);
    assert!(matches!(drivers.tell(&run, 0, true), Told::Nothing));
}
