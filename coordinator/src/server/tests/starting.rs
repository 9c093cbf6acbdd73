//! The same request twice is the same run.

use super::stage::{Stage, begun, id};
use crate::documents::{PlanOutcome, RunState};
use crate::plan::Plan;
use crate::server::Core;

/// A stage on which an upgrade is possible, whose steps do not end; the coordinator, and its plan.
pub(super) async fn ready() -> (Stage, Core, String) {
    let mut stage = Stage::new();
    stage.with_package();
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    stage.agents.iter().for_each(|agent| agent.let_steps_end(false));
    let core = stage.core().await;
    let plan = planned(&core).await;
    let json = serde_json::to_string(&plan).unwrap();
    (stage, core, json)
}

async fn planned(core: &Core) -> Plan {
    let answer = core.plan("orders", "7.8.2-34".parse().unwrap(), &[]).await.unwrap();
    assert_eq!(answer.outcome, PlanOutcome::Ready, "{}", answer.summary);
    answer.plan.unwrap()
}

#[tokio::test]
async fn a_plan_that_is_started_twice_is_one_run_and_another_one_is_refused() {
    let (_stage, core, plan) = ready().await;
    let first = core.start(&plan, false, None, "ann").await.unwrap();
    assert_eq!(first.state, RunState::Running);
    let second = core.start(&plan, false, None, "ann").await.unwrap();
    assert_eq!(second.id, first.id);
    assert_eq!(core.store().runs().await.unwrap().len(), 1);
    let prepare = core.start(&plan, true, None, "ann").await.unwrap_err();
    assert_eq!(prepare.id, "blocked", "to prepare is something else: {prepare}");
    let mut other: Plan = serde_json::from_str(&plan).unwrap();
    other.notes.push("another one".to_owned());
    let other = serde_json::to_string(&other).unwrap();
    assert_eq!(core.start(&other, false, None, "ann").await.unwrap_err().id, "blocked");
}

#[tokio::test]
async fn an_id_is_started_once_whatever_became_of_it() {
    let (_stage, core, plan) = ready().await;
    let named = core.start(&plan, false, Some(id("orders-by-a-rollout")), "ann").await.unwrap();
    assert_eq!(named.id, "orders-by-a-rollout");
    let again = core.start(&plan, false, Some(id("orders-by-a-rollout")), "ann").await.unwrap();
    assert_eq!((again.id, again.created_at), (named.id, named.created_at));
    let another = core.start(&plan, false, Some(id("orders-by-another")), "ann").await.unwrap_err();
    assert_eq!(another.id, "blocked", "a run of the same plan under another id is another run");
}

#[tokio::test]
async fn what_is_so_already_is_no_error() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "orders", "r1").await;
    super::stage::paused(&store, &lease, "r1").await;
    drop(lease);
    let core = stage.core().await;
    assert_eq!(core.pause("r1", "ann").await.unwrap().state, RunState::Paused);
    assert_eq!(core.abort("r1", "ann").await.unwrap().state, RunState::Aborted);
    assert_eq!(core.abort("r1", "ann").await.unwrap().state, RunState::Aborted);
}
