//! `wait`: one answer at the end, for scripts.

use proto::{Failure, pb};
use tonic::Status;

use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::{RunDocument, RunState};

fn no_such(what: &str) -> Failure {
    Failure::operator(&format!("no-such-{what}"), format!("there is no {what} `x`"), "ratchet runs")
}

fn rollout(state: &str) -> pb::Document {
    let json = format!(r#"{{"schema":"ratchet.rollout/1","name":"spring","state":"{state}"}}"#);
    pb::Document { schema: "ratchet.rollout/1".to_owned(), json }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_waited_for_until_it_stands_still_and_has_its_own_exit() {
    for (end, exit) in [(sample::done(), Exit::Done), (sample::halted(), Exit::Failed)] {
        let stage = Stage::new();
        (0..5).for_each(|_| stage.fake.answers("show", &sample::run()));
        stage.fake.answers("show", &end);
        assert_eq!(stage.run("wait orders-1 --timeout 1m -o json").await, exit);
        assert_eq!(stage.documents().len(), 1, "one answer, at the end");
        assert_eq!(stage.documents()[0]["schema"], "ratchet.run/1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_five_and_leaves_the_run_alone() {
    let stage = Stage::new();
    stage.fake.answers("show", &sample::run());
    assert_eq!(stage.run("wait orders-1 --timeout 90s -o json").await, Exit::Resumable);
    assert_eq!(stage.documents()[0]["error"]["id"], "timeout");
    assert!(stage.fake.asked().iter().all(|asked| asked.starts_with("show ")), "{:?}", stage.fake.asked());
    assert!(stage.fake.asked().len() > 80);
}

/// Where a coordinator serves, somebody takes an interrupted run up; where none does, it waits for a person.
#[tokio::test]
async fn an_interrupted_run_stands_still_only_where_nobody_serves() {
    let interrupted = RunDocument { state: RunState::Interrupted, exit_code: 5, ..sample::run() };
    let stage = Stage::new();
    stage.fake.answers("show", &interrupted);
    assert_eq!(stage.run("wait orders-1").await, Exit::Resumable);
    let stage = Stage::new();
    let address = stage.fake.listen().await;
    stage.fake.answers("show", &interrupted);
    stage.fake.answers("show", &interrupted);
    stage.fake.answers("show", &sample::done());
    assert_eq!(stage.run(&format!("wait orders-1 --coordinator {address}")).await, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_waited_for_by_its_name() {
    for (state, exit) in
        [("done", Exit::Done), ("done_with_failures", Exit::Failed), ("paused", Exit::Resumable)]
    {
        let stage = Stage::new();
        stage.fake.refuses("show", &no_such("run"));
        ["active", "active", "active", state]
            .iter()
            .for_each(|state| stage.fake.push("show_rollout", Ok(rollout(state))));
        assert_eq!(stage.run("wait spring").await, exit, "{state}");
        assert_eq!(stage.stdout(), format!("spring: {}\n", state.replace('_', " ")));
    }
}

#[tokio::test]
async fn a_rollout_s_whole_name_wins_over_the_beginning_of_a_run_s_id() {
    let stage = Stage::new();
    stage.fake.answers("show", &sample::done());
    stage.fake.push("show_rollout", Ok(rollout("aborted")));
    assert_eq!(stage.run("wait orders").await, Exit::Failed);
    let stage = Stage::new();
    stage.fake.answers("show", &sample::done());
    stage.fake.push("show_rollout", Ok(rollout("aborted")));
    assert_eq!(stage.run("wait orders-1").await, Exit::Done, "a run's whole id wins over both");
}

#[tokio::test]
async fn what_there_is_not_is_not_waited_for() {
    let stage = Stage::new();
    stage.fake.refuses("show", &no_such("run"));
    stage.fake.refuses("show_rollout", &no_such("rollout"));
    assert_eq!(stage.run("wait x").await, Exit::Usage);
}

#[tokio::test]
async fn that_nobody_answers_does_not_mean_that_there_is_no_such_rollout() {
    let stage = Stage::new();
    stage.fake.refuses("show", &no_such("run"));
    stage.fake.push("show_rollout", Err(Status::unavailable("it is gone")));
    assert_eq!(stage.run("wait x").await, Exit::Unreachable);
}
