//! Following a run, and what Ctrl-C means.

use proto::Failure;

use super::fake::{Scene, refusal, wire};
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::cli::stops::Stop;
use crate::documents::{EventDocument, RunDocument, RunState, WatchDocument};
use crate::failures::superseded;
use crate::store::LatestDriver;

fn news(run: RunDocument, events: Vec<EventDocument>) -> Scene {
    Scene::Tell(wire(&WatchDocument { schema: "ratchet.watch/1".to_owned(), events, run }))
}

fn paused() -> RunDocument {
    let next_commands = vec!["ratchet resume orders-1".to_owned()];
    RunDocument { state: RunState::Paused, exit_code: 5, next_commands, ..sample::run() }
}

/// A run that is told to its end, whose last document is this one.
fn resumed(last: RunDocument, scenes: Vec<Scene>) -> Stage {
    let stage = Stage::new();
    let before = RunDocument { events: Some(vec![sample::event(41, None, "paused")]), ..paused() };
    stage.fake.answers("show", &before);
    stage.fake.answers("show", &last);
    ["resume", "retry", "pause"].into_iter().for_each(|call| stage.fake.answers(call, &sample::run()));
    stage.fake.watched(scenes);
    stage
}

#[tokio::test]
async fn resume_and_retry_follow_from_where_the_run_was() {
    for (line, call) in [
        ("resume orders-1", r#"resume ResumeRequest { run: "orders-1", acknowledge: false }"#),
        ("retry orders-1 --node 2", r#"retry RetryRequest { run: "orders-1", node: Some(2) }"#),
    ] {
        let events = vec![sample::event(42, Some(2), "installing 7.4.6-22")];
        let stage =
            resumed(sample::done(), vec![news(sample::run(), events), news(sample::done(), Vec::new())]);
        assert_eq!(stage.run(line).await, Exit::Done);
        let asked = stage.fake.asked();
        assert_eq!(asked[1], call);
        assert!(asked[2].contains("from_seq: 42"), "{asked:?}");
        assert!(stage.stderr().contains("02:03:42  node 2    installing 7.4.6-22"), "{}", stage.stderr());
        assert!(stage.stdout().contains("Left for you to do"), "{}", stage.stdout());
    }
}

#[tokio::test]
async fn a_halted_run_ends_with_its_cause_and_exit() {
    let stage = resumed(sample::halted(), vec![news(sample::halted(), Vec::new())]);
    assert_eq!(stage.run("resume orders-1").await, Exit::Failed);
    let out = stage.stdout();
    for part in ["node 2 came back at 6.2.18-65", "port 53 is in use", "ratchet retry orders-1"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[tokio::test]
async fn ctrl_c_before_anything_was_asked_starts_nothing() {
    let stage = resumed(paused(), Vec::new());
    stage.stops.send(Stop::Interrupt).await.unwrap();
    assert_eq!(stage.run("resume orders-1").await, Exit::Resumable);
    assert!(!stage.fake.was_asked("resume"), "{:?}", stage.fake.asked());
    assert!(stage.stderr().contains("ratchet runs"), "{}", stage.stderr());
}

#[tokio::test]
async fn the_first_ctrl_c_pauses_and_says_what_it_waits_for() {
    let scenes = vec![news(sample::run(), Vec::new()), Scene::UntilPaused, news(paused(), Vec::new())];
    let stage = resumed(paused(), scenes);
    let pressed = async {
        stage.until("watch").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
    };
    let exit = stage.run_while("resume orders-1", pressed).await;
    assert_eq!(exit, Exit::Resumable);
    assert!(stage.fake.was_asked("pause"));
    assert!(stage.stderr().contains("node 2 is installing, which is never cut off"), "{}", stage.stderr());
    assert!(stage.stdout().contains("ratchet resume orders-1"), "{}", stage.stdout());
}

#[tokio::test]
async fn the_second_ctrl_c_leaves_at_once() {
    let stage = resumed(paused(), vec![news(sample::run(), Vec::new()), Scene::Hold]);
    let pressed = async {
        stage.until("watch").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
        stage.until("pause").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
    };
    let exit = stage.run_while("resume orders-1", pressed).await;
    assert_eq!(exit, Exit::Resumable);
    assert!(stage.stderr().contains("Go on with: ratchet resume orders-1"), "{}", stage.stderr());
}

#[tokio::test]
async fn sigterm_leaves_at_once_and_json_still_ends_with_the_run() {
    let stage = resumed(paused(), vec![news(sample::run(), Vec::new()), Scene::Hold]);
    let pressed = async {
        stage.until("watch").await;
        stage.stops.send(Stop::Terminate).await.unwrap();
    };
    let exit = stage.run_while("resume orders-1 -o json", pressed).await;
    assert_eq!(exit, Exit::Resumable);
    assert!(!stage.fake.was_asked("pause"));
    assert_eq!(stage.documents().last().unwrap()["schema"], "ratchet.run/1");
}

#[tokio::test]
async fn watching_only_looks_on() {
    let stage = Stage::new();
    stage.fake.answers("show", &sample::run());
    stage.fake.watched(vec![news(sample::run(), Vec::new()), Scene::Hold]);
    let pressed = async {
        stage.until("watch").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
    };
    let exit = stage.run_while("watch orders-1", pressed).await;
    assert_eq!(exit, Exit::Resumable);
    assert!(!stage.fake.was_asked("pause"));
    assert!(stage.stderr().contains("ratchet watch orders-1"), "{}", stage.stderr());
}

#[tokio::test]
async fn with_a_served_coordinator_ctrl_c_only_detaches() {
    let stage = resumed(paused(), vec![news(sample::run(), Vec::new()), Scene::Hold]);
    let address = stage.fake.listen().await;
    let pressed = async {
        stage.until("watch").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
    };
    let line = format!("resume orders-1 --coordinator {address}");
    let exit = stage.run_while(&line, pressed).await;
    assert_eq!(exit, Exit::Resumable);
    assert!(!stage.fake.was_asked("pause"));
    assert!(stage.stderr().contains("goes on without this terminal"), "{}", stage.stderr());
}

#[tokio::test]
async fn a_pause_that_is_refused_is_told_and_the_run_is_followed_on() {
    let stage = Stage::new();
    stage.fake.answers("show", &sample::done());
    stage.fake.answers("resume", &sample::run());
    stage.fake.refuses("pause", &Failure::operator("wrong-state", "it is nearly over", "wait"));
    stage.fake.watched(vec![news(sample::run(), Vec::new()), Scene::UntilPaused, Scene::Hold]);
    let pressed = async {
        stage.until("watch").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
        stage.until_told("the run is not paused: it is nearly over").await;
        stage.stops.send(Stop::Interrupt).await.unwrap();
    };
    let exit = stage.run_while("resume orders-1", pressed).await;
    assert_eq!(exit, Exit::Resumable);
}

#[tokio::test]
async fn an_embedded_coordinator_that_breaks_is_an_error() {
    let failure = Failure::retry("store-unreachable", "the store does not answer");
    let stage = resumed(paused(), vec![news(sample::run(), Vec::new()), Scene::Break(refusal(&failure))]);
    assert_eq!(stage.run("resume orders-1").await, Exit::Unreachable);
    assert!(stage.stderr().contains("the store does not answer"), "{}", stage.stderr());
}

#[tokio::test]
async fn a_driver_that_was_superseded_is_told_and_is_resumable() {
    let latest = LatestDriver { epoch: proto::Epoch(7), holder: "bob@ops2".to_owned() };
    let failure = superseded(&"orders".parse().unwrap(), Some(&latest));
    let failure = Failure { remedy: Some("ratchet watch orders-1".to_owned()), ..failure };
    for served in [false, true] {
        let scenes = vec![news(sample::run(), Vec::new()), Scene::Break(refusal(&failure))];
        let stage = resumed(sample::run(), scenes);
        let address =
            if served { format!(" --coordinator {}", stage.fake.listen().await) } else { String::new() };
        assert_eq!(stage.run(&format!("resume orders-1{address}")).await, Exit::Resumable);
        let told = stage.stderr();
        let line = "error: orders is driven by bob@ops2 now, at epoch 7; this coordinator has stopped and starts nothing \
                    any more\n";
        assert!(told.contains(line) && told.contains("do: ratchet watch orders-1"), "{told}");
    }
}

#[tokio::test]
async fn a_driver_whose_store_failed_ends_the_command_with_that() {
    let remedy = "see that its disk is not full; then: ratchet resume orders-1";
    let failure =
        Failure::operator("store-unreachable", "run orders-1 of orders is no longer driven", remedy);
    let stage =
        resumed(sample::run(), vec![news(sample::run(), Vec::new()), Scene::Break(refusal(&failure))]);
    assert_eq!(stage.run("resume orders-1").await, Exit::Unreachable);
    assert!(stage.stderr().contains(remedy), "{}", stage.stderr());
}

#[tokio::test]
async fn a_stream_that_ends_early_is_no_success() {
    let stage = resumed(sample::run(), vec![news(sample::run(), Vec::new())]);
    assert_eq!(stage.run("resume orders-1").await, Exit::Resumable);
}

#[tokio::test(start_paused = true)]
async fn a_run_at_rest_is_left_even_if_its_stream_stays_open() {
    let stage = resumed(sample::done(), vec![news(sample::done(), Vec::new()), Scene::Hold]);
    assert_eq!(stage.run("resume orders-1").await, Exit::Done);
}
