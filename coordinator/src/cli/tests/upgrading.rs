//! `plan`, `prepare` and `upgrade`: nothing starts that was not shown and agreed to.

use super::fake::{Scene, wire};
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::{PlanDocument, PlanOutcome, RunDocument, WatchDocument};

fn ready() -> Stage {
    let stage = Stage::new();
    stage.fake.answers("plan", &sample::plan_answer());
    stage.fake.answers("start", &sample::run());
    stage.fake.answers("show", &sample::done());
    let end = WatchDocument { schema: "ratchet.watch/1".to_owned(), events: Vec::new(), run: sample::done() };
    stage.fake.watched(vec![Scene::Tell(wire(&end))]);
    stage
}

fn answered(outcome: PlanOutcome) -> PlanDocument {
    PlanDocument { outcome, plan: None, digest: None, ..sample::plan_answer() }
}

#[tokio::test]
async fn an_upgrade_shows_the_plan_starts_it_and_ends_with_advice() {
    let stage = ready();
    assert_eq!(stage.run("upgrade orders --to 7.4.6-22 --yes").await, Exit::Done);
    let (out, asked) = (stage.stdout(), stage.fake.asked());
    assert!(out.contains("Hop 1 of 1: 7.2.4-92 → 7.4.6-22"), "{out}");
    assert!(out.contains("refresh an open Cluster Manager UI"), "{out}");
    let calls: Vec<&str> = asked.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(calls, ["why", "plan", "start", "watch", "show"]);
    assert!(asked[2].contains("prepare_only: false"), "{}", asked[2]);
}

#[tokio::test]
async fn what_is_started_is_the_plan_that_was_shown() {
    let stage = ready();
    stage.run("upgrade orders --to 7.4.6-22 --yes").await;
    let plan = serde_json::to_string(&sample::plan()).unwrap();
    let start = stage.fake.asked().remove(2);
    assert!(start.contains(&format!("{plan:?}")), "{start}");
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_starts() {
    for line in ["upgrade orders --to 7.4.6-22", "upgrade orders --to 7.4.6-22 -o json"] {
        let stage = ready();
        assert_eq!(stage.run(line).await, Exit::Usage, "{line}");
        assert!(!stage.fake.was_asked("start"), "{line}");
        assert!((stage.stderr() + &stage.stdout()).contains("--yes"), "{line}");
    }
}

#[tokio::test]
async fn only_the_cluster_s_name_is_consent() {
    for (typed, exit) in
        [("orders\n", Exit::Done), ("yes\n", Exit::Usage), ("", Exit::Usage), ("order\n", Exit::Usage)]
    {
        let stage = ready().typing(typed);
        assert_eq!(stage.run("upgrade orders --to 7.4.6-22").await, exit, "{typed:?}");
        assert_eq!(stage.fake.was_asked("start"), exit == Exit::Done, "{typed:?}");
    }
}

#[tokio::test]
async fn a_terminal_is_not_asked_under_json() {
    let stage = ready().typing("orders\n");
    assert_eq!(stage.run("upgrade orders --to 7.4.6-22 -o json").await, Exit::Usage);
    assert!(!stage.fake.was_asked("start"));
}

#[tokio::test]
async fn blocked_and_nothing_to_do_start_nothing() {
    for (outcome, exit) in [(PlanOutcome::Blocked, Exit::Blocked), (PlanOutcome::NothingToDo, Exit::Done)] {
        for verb in ["upgrade", "prepare", "plan", "upgrade --yes"] {
            for format in ["human", "json"] {
                let stage = Stage::new();
                stage.fake.answers("plan", &answered(outcome));
                assert_eq!(stage.run(&format!("{verb} orders --to 7.4.6-22 -o {format}")).await, exit);
                let asked = stage.fake.asked();
                let changing =
                    asked.iter().filter(|call| !call.starts_with("why ") && !call.starts_with("plan "));
                assert_eq!((changing.count(), stage.fake.was_asked("plan")), (0, true), "{verb}");
                assert!(stage.stdout().contains("orders"), "{verb}: {}", stage.stdout());
            }
        }
    }
}

#[tokio::test]
async fn a_ready_answer_without_a_plan_starts_nothing() {
    let stage = Stage::new();
    stage.fake.answers("plan", &answered(PlanOutcome::Ready));
    assert_eq!(stage.run("upgrade orders --to 7.4.6-22 --yes").await, Exit::Unexpected);
    assert!(!stage.fake.was_asked("start"));
}

#[tokio::test]
async fn prepare_asks_nobody_and_only_prepares() {
    let stage = ready();
    assert_eq!(stage.run("prepare orders --to 7.4.6-22").await, Exit::Done);
    assert!(stage.fake.asked()[1].contains("prepare_only: true"), "{:?}", stage.fake.asked());
}

#[tokio::test]
async fn a_saved_plan_is_carried_out_as_it_is() {
    let stage = ready();
    let file = stage.path("plan.json");
    assert_eq!(stage.run(&format!("plan orders --to 7.4.6-22 --save {file}")).await, Exit::Done);
    let later = ready();
    assert_eq!(later.run(&format!("upgrade --plan {file} --yes")).await, Exit::Done);
    assert!(!later.fake.was_asked("plan"));
    let plan = serde_json::to_string(&sample::plan()).unwrap();
    assert!(later.fake.asked()[0].contains(&format!("{plan:?}")), "{:?}", later.fake.asked());
}

#[tokio::test]
async fn a_blocked_plan_is_not_saved() {
    let stage = Stage::new();
    stage.fake.answers("plan", &answered(PlanOutcome::Blocked));
    let file = stage.path("plan.json");
    assert_eq!(stage.run(&format!("plan orders --to 7.4.6-22 --save {file}")).await, Exit::Blocked);
    assert!(!std::path::Path::new(&file).exists());
}

#[tokio::test]
async fn a_damaged_plan_file_is_refused_before_anybody_is_asked() {
    let stage = ready();
    let file = stage.path("plan.json");
    let whole = serde_json::to_string(&sample::plan()).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(stage.run(&format!("upgrade --plan {file} --yes")).await, Exit::Usage);
    assert!(stage.fake.asked().is_empty());
}

#[tokio::test]
async fn a_plan_that_cannot_be_saved_says_so() {
    let stage = ready();
    let file = stage.path("no/such/directory/plan.json");
    assert_eq!(stage.run(&format!("plan orders --to 7.4.6-22 --save {file}")).await, Exit::Unexpected);
    assert!(stage.stderr().contains("cannot be saved"), "{}", stage.stderr());
}

#[tokio::test]
async fn the_same_upgrade_twice_is_the_same_run() {
    let stage = Stage::new();
    stage.fake.answers("why", &sample::why());
    stage.fake.answers("show", &sample::run());
    stage.fake.answers("show", &sample::done());
    let end = WatchDocument { schema: "ratchet.watch/1".to_owned(), events: Vec::new(), run: sample::done() };
    stage.fake.watched(vec![Scene::Tell(wire(&end))]);
    assert_eq!(stage.run("upgrade orders --to 7.4.6-22").await, Exit::Done);
    assert!(!stage.fake.was_asked("plan") && !stage.fake.was_asked("start"), "{:?}", stage.fake.asked());
    assert!(stage.stderr().contains("run orders-1 is under way already"), "{}", stage.stderr());
}

#[tokio::test]
async fn another_target_another_purpose_or_a_run_that_is_over_is_another_run() {
    for run in [
        RunDocument { target: "7.4.6-23".to_owned(), ..sample::run() },
        RunDocument { prepare_only: true, ..sample::run() },
        sample::done(),
    ] {
        let stage = Stage::new();
        stage.fake.answers("why", &sample::why());
        stage.fake.answers("show", &run);
        stage.fake.answers("plan", &answered(PlanOutcome::Blocked));
        assert_eq!(stage.run("upgrade orders --to 7.4.6-22 --yes").await, Exit::Blocked);
        assert!(stage.fake.was_asked("plan"));
    }
}

#[tokio::test]
async fn a_run_is_left_to_a_coordinator_that_serves_and_only_its_name_is_on_stdout() {
    let stage = ready();
    let address = stage.fake.listen().await;
    let line = format!("upgrade orders --to 7.4.6-22 --yes --detach --coordinator {address}");
    assert_eq!(stage.run(&line).await, Exit::Done);
    assert_eq!(stage.stdout(), "orders-1   follow it: ratchet watch orders-1\n");
    assert!(stage.stderr().contains("Hop 1 of 1"), "a person has seen what begins: {}", stage.stderr());
    assert!(!stage.fake.was_asked("watch"));
    let stage = ready();
    let address = stage.fake.listen().await;
    let line = format!("upgrade orders --to 7.4.6-22 --yes --detach -o json --coordinator {address}");
    assert_eq!(stage.run(&line).await, Exit::Done);
    assert_eq!(stage.documents()[0]["id"], "orders-1");
    assert_eq!(stage.documents().len(), 1);
}

#[tokio::test]
async fn a_detached_upgrade_that_is_under_way_is_named() {
    let stage = Stage::new();
    stage.fake.answers("why", &sample::why());
    stage.fake.answers("show", &sample::run());
    let address = stage.fake.listen().await;
    let line = format!("upgrade orders --to 7.4.6-22 --detach --coordinator {address}");
    assert_eq!(stage.run(&line).await, Exit::Done);
    assert!(stage.stdout().starts_with("orders-1 "), "{}", stage.stdout());
}

#[tokio::test]
async fn nobody_can_be_left_a_run_that_this_very_process_would_drive() {
    let stage = ready();
    assert_eq!(stage.run("upgrade orders --to 7.4.6-22 --yes --detach").await, Exit::Usage);
    assert!(stage.fake.asked().is_empty());
    assert!(stage.stderr().contains("ratchet serve"), "{}", stage.stderr());
}
