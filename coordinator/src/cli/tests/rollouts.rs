//! `ratchet rollout …` against a coordinator with canned answers.

use super::fake::{Scene, wire};
use super::schema::shape_of;
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::cli::stops::Stop;
use crate::documents::RolloutState;

const FILE: &str = "name = \"q4-7-22\"\n";

/// A rollout that gets into this state while it is followed.
fn followed(state: RolloutState, exit_code: u8) -> Stage {
    let stage = Stage::new();
    std::fs::write(stage.path("q4.toml"), FILE).unwrap();
    stage.fake.answers("apply_rollout", &sample::rollout(RolloutState::Active, 5));
    stage.fake.answers("show_rollout", &sample::rollout(state, exit_code));
    let scene = |seq, state, code| Scene::Tell(wire(&sample::rollout_news(seq, state, code)));
    stage.fake.watched(vec![scene(7, RolloutState::Active, 5), scene(8, state, exit_code)]);
    stage
}

#[tokio::test]
async fn apply_follows_to_the_end_and_exits_with_it() {
    for (state, code, exit) in [
        (RolloutState::Done, 0, Exit::Done),
        (RolloutState::DoneWithFailures, 4, Exit::Failed),
        (RolloutState::Halted, 4, Exit::Failed),
        (RolloutState::Paused, 5, Exit::Resumable),
        (RolloutState::Aborted, 4, Exit::Failed),
        (RolloutState::Halted, 0, Exit::Unexpected),
    ] {
        let stage = followed(state, code);
        let file = stage.path("q4.toml");
        assert_eq!(stage.run(&format!("rollout apply {file}")).await, exit, "{state:?}");
        assert!(
            stage.stderr().contains("02:01:00  orders-eu failed: there is no room"),
            "{}",
            stage.stderr()
        );
        assert!(stage.stdout().starts_with("q4-7-22 · to 7.22.0-95 · "), "{}", stage.stdout());
    }
}

#[tokio::test]
async fn under_json_there_is_an_object_a_line_and_last_the_rollout() {
    let stage = followed(RolloutState::Done, 0);
    let file = stage.path("q4.toml");
    assert_eq!(stage.run(&format!("rollout apply {file} -o json")).await, Exit::Done);
    let documents = stage.documents();
    let schemas: Vec<&str> = documents.iter().map(|document| document["schema"].as_str().unwrap()).collect();
    assert_eq!(schemas, ["ratchet.rollout-watch/1", "ratchet.rollout-watch/1", "ratchet.rollout/1"]);
    assert_eq!(documents[2]["state"], "done");
    assert_eq!(documents[2]["clusters"].as_array().unwrap().len(), 3);
    assert_eq!(stage.stderr(), "");
}

#[tokio::test]
async fn ctrl_c_says_that_it_is_interrupted_and_how_to_go_on() {
    let stage = followed(RolloutState::Done, 0);
    stage.fake.watched(Vec::new());
    let hold = Stage::new();
    std::fs::write(hold.path("q4.toml"), FILE).unwrap();
    hold.fake.answers("apply_rollout", &sample::rollout(RolloutState::Active, 5));
    hold.fake.watched(vec![Scene::Hold]);
    hold.stops.send(Stop::Interrupt).await.unwrap();
    let file = hold.path("q4.toml");
    assert_eq!(hold.run(&format!("rollout apply {file}")).await, Exit::Resumable);
    let told = hold.stderr();
    assert!(told.contains("is interrupted"), "{told}");
    assert!(told.contains(&format!("Go on with: ratchet rollout apply {file}")), "{told}");
}

#[tokio::test]
async fn nobody_is_left_to_carry_out_what_is_detached_from_its_own_process() {
    let stage = followed(RolloutState::Done, 0);
    let file = stage.path("q4.toml");
    assert_eq!(stage.run(&format!("rollout apply {file} --detach")).await, Exit::Usage);
    assert!(!stage.fake.was_asked("apply_rollout"));
    assert!(stage.stderr().contains("--coordinator"), "{}", stage.stderr());
}

#[tokio::test]
async fn detached_it_exits_with_the_outcome_only_if_it_is_over() {
    for (state, code, exit) in [
        (RolloutState::Active, 5, Exit::Done),
        (RolloutState::Paused, 5, Exit::Done),
        (RolloutState::Done, 0, Exit::Done),
        (RolloutState::DoneWithFailures, 4, Exit::Failed),
        (RolloutState::Aborted, 4, Exit::Failed),
        (RolloutState::Aborted, 0, Exit::Unexpected),
    ] {
        let stage = Stage::new();
        std::fs::write(stage.path("q4.toml"), FILE).unwrap();
        stage.fake.answers("apply_rollout", &sample::rollout(state, code));
        let (at, file) = (stage.fake.listen().await, stage.path("q4.toml"));
        let line = format!("--coordinator {at} rollout apply {file} --detach");
        assert_eq!(stage.run(&line).await, exit, "{state:?}: {}", stage.stderr());
    }
}

#[tokio::test]
async fn verbs_ask_for_what_they_say_by_name_or_by_file() {
    for (line, asked) in [
        ("pause q4-7-22", "what: \"pause\", wave: None, cluster: None"),
        ("resume FILE", "what: \"resume\", wave: None, cluster: None"),
        ("abort q4-7-22", "what: \"abort\", wave: None, cluster: None"),
        ("approve FILE --wave prod", "what: \"approve\", wave: Some(\"prod\"), cluster: None"),
        ("retry q4-7-22 orders-eu", "what: \"retry\", wave: None, cluster: Some(\"orders-eu\")"),
    ] {
        let stage = followed(RolloutState::Active, 5);
        stage.fake.answers("ask_rollout", &sample::rollout(RolloutState::Active, 5));
        let line = line.replace("FILE", &stage.path("q4.toml"));
        assert_eq!(stage.run(&format!("rollout {line}")).await, Exit::Done, "{}", stage.stderr());
        let expected = format!("ask_rollout AskRolloutRequest {{ rollout: \"q4-7-22\", {asked} }}");
        assert_eq!(stage.fake.asked(), [expected]);
        assert!(stage.stdout().contains("ratchet rollout retry q4-7-22"), "{}", stage.stdout());
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_before_anybody_is_asked() {
    let stage = Stage::new();
    let file = stage.path("none.toml");
    assert_eq!(stage.run(&format!("rollout check {file}")).await, Exit::Usage);
    assert!(stage.stderr().contains("cannot be read") && stage.fake.asked().is_empty());
}

#[tokio::test]
async fn status_without_a_name_lists_all_of_them() {
    let stage = Stage::new();
    stage.fake.answers("rollouts", &sample::rollouts());
    assert_eq!(stage.run("rollout status").await, Exit::Done);
    assert!(stage.stdout().lines().nth(1).unwrap().starts_with("q4-7-22"), "{}", stage.stdout());
}

#[tokio::test]
async fn the_documents_have_their_members() {
    let stage = Stage::new();
    stage.fake.answers("show_rollout", &sample::rollout(RolloutState::Halted, 4));
    insta::assert_snapshot!(shape_of(&stage, "rollout status q4-7-22").await, @r"
        .at_once: number
        .clusters: list
        .clusters[].error.cause: text
        .clusters[].error.id: text
        .clusters[].error.message: text
        .clusters[].error.remedy: text
        .clusters[].error: null
        .clusters[].name: text
        .clusters[].run: text
        .clusters[].run_state: text
        .clusters[].state: text
        .clusters[].wave: text
        .commands: list
        .commands[]: text
        .exit_code: number
        .failed: number
        .failure_budget: number
        .halt.cluster: text
        .halt.kind: text
        .halt.why: text
        .in_flight: number
        .name: text
        .on_failure: text
        .schema: text
        .since: text
        .state: text
        .target: text
        .total: number
        .until: text
        .updated_at: text
        .upgraded: number
        .waits_for: text
        .wave: text
        .waves: list
        .waves[].approval: flag
        .waves[].approved: flag
        .waves[].at_once: number
        .waves[].clusters: number
        .waves[].failed: number
        .waves[].failure_budget: number
        .waves[].name: text
        .waves[].settled: number
        .waves[].soak_seconds: number
        .waves[].soaks_until: null
        .waves[].state: text
        .who: text
        .window.closes_at: text
        .window.open: flag
        .window.opens_at: null
        .window.zone: text
        ");
    let stage = Stage::new();
    stage.fake.answers("check_rollout", &sample::rollout_check());
    std::fs::write(stage.path("q4.toml"), "").unwrap();
    let line = format!("rollout check {}", stage.path("q4.toml"));
    insta::assert_snapshot!(shape_of(&stage, &line).await, @r"
        .at: text
        .ends: text
        .exists: flag
        .findings: list
        .findings[].cluster: null
        .findings[].id: text
        .findings[].remedy: text
        .findings[].saw: text
        .name: text
        .openings: list
        .openings[].from: text
        .openings[].until: text
        .partners: list
        .partners[].one: text
        .partners[].other: text
        .schema: text
        .target: text
        .unclear: list
        .unclear[]: text
        .unselected: list
        .unselected[]: text
        .waves: list
        .waves[].approval: flag
        .waves[].clusters: list
        .waves[].clusters[].begins: text
        .waves[].clusters[].ends: text
        .waves[].clusters[].measured: text
        .waves[].clusters[].name: text
        .waves[].clusters[].turn_seconds: number
        .waves[].clusters[].turns: number
        .waves[].name: text
        .waves[].soak_seconds: number
        .window.closes_at: text
        .window.open: flag
        .window.opens_at: null
        .window.zone: text
        ");
}
