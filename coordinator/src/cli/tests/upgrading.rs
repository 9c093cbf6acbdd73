//! `plan`, `prepare` and `upgrade`: nothing starts that was not shown and agreed to.

use super::fake::{Scene, wire};
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::{PlanDocument, PlanOutcome, WatchDocument};

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
    assert_eq!(calls, ["plan", "start", "watch", "show"]);
    assert!(asked[1].contains("prepare_only: false"), "{}", asked[1]);
}

#[tokio::test]
async fn what_is_started_is_the_plan_that_was_shown() {
    let stage = ready();
    stage.run("upgrade orders --to 7.4.6-22 --yes").await;
    let plan = serde_json::to_string(&sample::plan()).unwrap();
    let start = stage.fake.asked().remove(1);
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
                assert_eq!(stage.fake.asked().len(), 1, "{verb}");
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
