//! Several coordinators: the one that leads is asked, and another one when it is gone.

use std::sync::Arc;
use std::time::Duration;

use proto::Failure;
use tonic::Status;

use super::fake::{Fake, Scene, refusal, wire};
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::client::Client;
use crate::cli::render::sample;
use crate::documents::{LeaderDocument, RolloutState, RunDocument, RunState, WatchDocument};

fn says(fake: &Fake, leads: bool) {
    fake.answers("leader", &LeaderDocument { leads, coordinators: Vec::new(), ..sample::leader() });
}

fn is_gone(fake: &Fake, call: &'static str) {
    fake.push(call, Err(Status::unavailable("it is gone")));
}

/// Two coordinators, the first of which stands by, and `--coordinator` with both.
async fn two() -> (Arc<Fake>, Arc<Fake>, String) {
    let (standby, leader) = (Arc::new(Fake::default()), Arc::new(Fake::default()));
    says(&standby, false);
    says(&leader, true);
    let named = format!("--coordinator {},{}", standby.listen().await, leader.listen().await);
    (standby, leader, named)
}

fn news(run: RunDocument, seq: u64) -> Scene {
    let events = vec![sample::event(seq, None, "something")];
    Scene::Tell(wire(&WatchDocument { schema: "ratchet.watch/1".to_owned(), events, run }))
}

#[tokio::test]
async fn the_one_that_leads_is_asked() {
    let (standby, leader, named) = two().await;
    leader.answers("runs", &sample::runs());
    assert_eq!(Stage::new().run(&format!("runs {named}")).await, Exit::Done);
    assert!(leader.was_asked("runs") && !standby.was_asked("runs"));
}

#[tokio::test]
async fn where_nobody_leads_one_that_answers_is_asked() {
    let only = Arc::new(Fake::default());
    says(&only, false);
    only.answers("runs", &sample::runs());
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stage = Stage::new();
    assert_eq!(stage.run(&format!("runs --coordinator {gone},{}", only.listen().await)).await, Exit::Done);
}

#[tokio::test]
async fn where_nobody_answers_all_are_named() {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (one, other) = (free(), free());
    let stage = Stage::new();
    assert_eq!(stage.run(&format!("runs --coordinator {one},{other}")).await, Exit::Unreachable);
    let told = stage.stderr();
    assert!(told.contains(&one.to_string()) && told.contains(&other.to_string()), "{told}");
    assert_eq!(Stage::new().run("runs --coordinator ,").await, Exit::Usage);
}

#[tokio::test]
async fn a_call_is_repeated_at_another_one_whether_it_reads_or_writes() {
    for (line, call) in [("show orders-1", "show"), ("pause orders-1", "pause")] {
        let (other, leader, named) = two().await;
        is_gone(&leader, call);
        is_gone(&leader, "leader");
        other.answers(call, &sample::halted());
        let stage = Stage::new();
        assert_eq!(stage.run(&format!("{line} {named}")).await, Exit::Done, "{}", stage.stderr());
        assert!(leader.was_asked(call) && other.was_asked(call), "{line}");
    }
}

/// One that is stopped, not gone, is given up only when the connection is: no shorter silence says so.
#[tokio::test(start_paused = true)]
async fn another_one_is_asked_however_long_the_first_was_silent() {
    let (silent, other) = (Arc::new(Fake::default()), Arc::new(Fake::default()));
    says(&silent, true);
    is_gone(&silent, "leader");
    silent.is_silent("show", Duration::from_secs(60));
    is_gone(&silent, "show");
    says(&other, true);
    other.answers("show", &sample::run());
    let peers = vec![("one".to_owned(), silent.channel()), ("other".to_owned(), other.channel())];
    other.is_silent("leader", Duration::from_millis(100));
    let client = Client::among(peers).await.unwrap();
    let answer = client.show("orders-1".to_owned(), false, false).await;
    assert_eq!(
        answer.map(|answer| answer.document.id).map_err(|lost| lost.to_string()),
        Ok("orders-1".to_owned())
    );
    assert!(silent.was_asked("show") && other.was_asked("show"));
}

#[tokio::test]
async fn a_rollout_is_followed_at_another_one_from_the_last_event() {
    let (other, leader, named) = two().await;
    let news = |seq, state, code| Scene::Tell(wire(&sample::rollout_news(seq, state, code)));
    leader.answers("show_rollout", &sample::rollout(RolloutState::Active, 5));
    let gone = Scene::Break(Status::unavailable("it is gone"));
    leader.watched(vec![news(7, RolloutState::Active, 5), gone]);
    is_gone(&leader, "leader");
    is_gone(&leader, "show_rollout");
    other.watched(vec![news(8, RolloutState::Done, 0)]);
    other.answers("show_rollout", &sample::rollout(RolloutState::Done, 0));
    let stage = Stage::new();
    assert_eq!(stage.run(&format!("rollout watch q4-7-22 {named}")).await, Exit::Done, "{}", stage.stderr());
    let asked = other.asked();
    let watch = asked.iter().find(|asked| asked.starts_with("watch_rollout ")).unwrap();
    assert!(watch.contains("from_seq: 8"), "{watch}");
}

#[tokio::test]
async fn a_refusal_is_not_asked_for_twice() {
    let (standby, leader, named) = two().await;
    leader.refuses("pause", &Failure::operator("blocked", "it is over", "ratchet runs"));
    assert_eq!(Stage::new().run(&format!("pause orders-1 {named}")).await, Exit::Blocked);
    assert!(!standby.was_asked("pause"));
    assert_eq!(leader.asked().iter().filter(|asked| asked.starts_with("pause ")).count(), 1);
}

#[tokio::test]
async fn a_request_waits_for_somebody_to_lead() {
    let (standby, leader, named) = two().await;
    leader.refuses("pause", &Failure::retry("no-leader", "nobody leads at the moment"));
    leader.answers("pause", &sample::halted());
    assert_eq!(Stage::new().run(&format!("pause orders-1 {named}")).await, Exit::Done);
    assert!(!standby.was_asked("pause"));
}

#[tokio::test]
async fn following_goes_on_at_another_one_from_the_last_event() {
    let (other, leader, named) = two().await;
    let before = RunDocument { state: RunState::Paused, ..sample::run() };
    leader.answers("show", &before);
    leader.answers("resume", &sample::run());
    leader.watched(vec![news(sample::run(), 7), Scene::Break(Status::unavailable("it is gone"))]);
    is_gone(&leader, "leader");
    let interrupted = RunDocument { state: RunState::Interrupted, ..sample::run() };
    other.watched(vec![news(interrupted, 8), news(sample::done(), 9)]);
    is_gone(&leader, "show");
    other.answers("show", &sample::done());
    let stage = Stage::new();
    assert_eq!(stage.run(&format!("resume orders-1 {named}")).await, Exit::Done, "{}", stage.stderr());
    let asked = other.asked();
    let watch = asked.iter().find(|asked| asked.starts_with("watch ")).unwrap();
    assert!(watch.contains("from_seq: 8"), "{watch}");
    assert!(stage.stderr().contains("the coordinator does not answer"), "{}", stage.stderr());
}

#[tokio::test]
async fn a_driver_that_stops_for_good_ends_the_command() {
    let (_standby, leader, named) = two().await;
    leader.answers("show", &sample::run());
    let failure = Failure::operator("store-unreachable", "run orders-1 is no longer driven", "make room");
    leader.watched(vec![news(sample::run(), 7), Scene::Break(refusal(&failure))]);
    assert_eq!(Stage::new().run(&format!("watch orders-1 {named}")).await, Exit::Unreachable);
}

#[tokio::test]
async fn who_answers_is_told_of_each() {
    let (standby, leader, named) = two().await;
    let stage = Stage::new();
    assert_eq!(stage.run(&format!("leader -o json {named}")).await, Exit::Done);
    let document = stage.documents().remove(0);
    let leads: Vec<bool> = document["coordinators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["leads"].as_bool().unwrap())
        .collect();
    assert_eq!(leads, [false, true], "in the order in which they were named");
    assert!(standby.was_asked("leader") && leader.was_asked("leader"));
}
