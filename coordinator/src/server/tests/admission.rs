//! Turns that others do not let begin.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use proto::{Failure, RunId};

use super::drivers::{kinds, told};
use super::stage::{Stage, begun, id, noon};
use crate::documents::{RunState, WatchDocument};
use crate::run::{Admission, Admitted};
use crate::server::Core;
use crate::store::{Shelf, Store};

/// Says these things in turn, then always yes.
#[derive(Debug, Default)]
struct Canned(Mutex<Vec<Result<Admitted, Failure>>>);

#[async_trait::async_trait]
impl Admission for Canned {
    async fn admit(&self, _: &RunId, _: Timestamp) -> Result<Admitted, Failure> {
        let mut answers = self.0.lock().unwrap();
        if answers.is_empty() { Ok(Admitted::Yes) } else { answers.remove(0) }
    }
}

fn shut() -> Result<Admitted, Failure> {
    let opens_at = noon().checked_add(jiff::SignedDuration::from_hours(10)).ok();
    Ok(Admitted::NotNow { why: "the window is shut".to_owned(), opens_at })
}

async fn stage(answers: Vec<Result<Admitted, Failure>>) -> (Stage, Core) {
    let stage = Stage::new();
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    drop(begun(&stage.store("ratchet.db").await, "orders", "r1").await);
    let mut core = stage.core().await;
    core.world.admission = Arc::new(Canned(Mutex::new(answers)));
    (stage, core)
}

async fn followed(core: &Core) -> Vec<WatchDocument> {
    let (news, failure) = told(core, &mut core.watching(id("r1"), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    news
}

fn count(news: &[WatchDocument], kind: &str) -> usize {
    kinds(news).iter().filter(|of| *of == kind).count()
}

#[tokio::test]
async fn a_run_outside_its_window_pauses_says_until_when_and_asks_again_when_it_goes_on() {
    let (_stage, core) = stage(vec![shut()]).await;
    core.go_on_with_interrupted().await;
    let news = followed(&core).await;
    let run = news.last().unwrap().run.clone();
    assert_eq!(run.state, RunState::Paused);
    assert_eq!(run.doing, "paused between turns: the window is shut; it may go on at 2026-06-01T22:00:00Z");
    assert_eq!(run.not_admitted.as_ref().unwrap().why, "the window is shut");
    let why = core.why("orders").await.unwrap();
    assert_eq!((why.verdict.as_str(), why.until), ("paused", run.not_admitted.unwrap().opens_at));
    assert_eq!(count(&news, "gate_passed"), 0);
    core.resume("r1", false, "ann").await.unwrap();
    let news = followed(&core).await;
    assert_eq!(news.last().unwrap().run.state, RunState::Done, "{:?}", kinds(&news));
    assert_eq!((count(&news, "not_admitted"), count(&news, "gate_passed")), (1, 3));
}

/// The gate may have looked for long.
#[tokio::test]
async fn it_is_asked_once_more_just_before_the_turn_begins() {
    let (_stage, core) = stage(vec![Ok(Admitted::Yes), shut()]).await;
    core.go_on_with_interrupted().await;
    let news = followed(&core).await;
    assert_eq!(news.last().unwrap().run.state, RunState::Paused);
    assert_eq!(count(&news, "gate_passed"), 0);
}

#[tokio::test]
async fn what_cannot_be_told_lets_nothing_begin() {
    let unknown = || Err(Failure::retry("store-unreachable", "it does not answer"));
    let (_stage, core) = stage(vec![unknown(), Ok(Admitted::Yes), unknown()]).await;
    core.go_on_with_interrupted().await;
    let news = followed(&core).await;
    assert_eq!(news.last().unwrap().run.state, RunState::Done);
    let held = news.iter().flat_map(|news| &news.events).find(|event| event.kind == "gate_held").unwrap();
    assert!(held.text.contains("whether a turn may begin now cannot be told"), "{}", held.text);
}

#[tokio::test]
async fn a_run_of_no_rollout_obeys_the_halt_of_the_fleet() {
    let stage = Stage::new();
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    let halt = r#"{"number":1,"halt":{"by":"carol","why":"the power fails","at":"2026-06-01T12:00:00Z"}}"#;
    store.put(Shelf::Halt, "fleet", halt).await.unwrap();
    let core = stage.core().await.honouring_windows();
    core.go_on_with_interrupted().await;
    assert_eq!(followed(&core).await.last().unwrap().run.state, RunState::Paused);
    let Admitted::NotNow { why, .. } = core.world.admission.admit(&id("r1"), noon()).await.unwrap() else {
        panic!("the fleet is halted")
    };
    assert_eq!(why, "the fleet is halted by carol: the power fails");
    store.put(Shelf::Halt, "fleet", "{\"damaged").await.unwrap();
    let failure = core.world.admission.admit(&id("r1"), noon()).await.unwrap_err();
    assert_eq!(failure.id, "store-damaged", "what cannot be read is not `no halt`");
    assert!(store.take_off(Shelf::Halt, "fleet").await.unwrap());
    core.resume("r1", false, "ann").await.unwrap();
    assert_eq!(followed(&core).await.last().unwrap().run.state, RunState::Done);
}
