//! One halt for the whole fleet, and who is told.

use proto::{Failure, NodeHalt};

use super::agent::State;
use super::drivers::told;
use super::stage::{Stage, begun, id, paused};
use super::starting::ready;
use crate::documents::RunState;
use crate::server::Core;
use crate::store::Store;

fn obeys(stage: &Stage) -> Vec<bool> {
    let halted = |state: &State| state.halts.get(NodeHalt::FLEET).is_some_and(|(_, halt)| halt.is_some());
    stage.agents.iter().map(|agent| agent.with(|state| halted(state))).collect()
}

async fn refusals(core: &Core, plan: &str) -> Vec<Failure> {
    vec![
        core.start(plan, false, None, "ann").await.unwrap_err(),
        core.resume("r1", false, "ann").await.unwrap_err(),
        core.retry("r1", None, "ann").await.unwrap_err(),
    ]
}

#[tokio::test]
async fn while_the_fleet_is_halted_nothing_starts_and_everybody_says_so() {
    let (stage, core, plan) = ready().await;
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "billing", "r1").await;
    paused(&store, &lease, "r1").await;
    drop(lease);
    let document = core.halt_fleet("the network is being moved", "ann").await.unwrap();
    assert_eq!((document.told, document.exit_code, obeys(&stage)), (3, 0, vec![true; 3]));
    assert_eq!(document.runs[0].command.as_deref(), Some("ratchet resume r1"));
    for failure in refusals(&core, &plan).await {
        assert_eq!((failure.id.as_str(), failure.remedy.as_deref()), ("halted", Some("ratchet halt --lift")));
        assert_eq!(failure.cause.as_deref(), Some("the network is being moved"));
    }
    assert!(core.status(&[]).await.unwrap().fleet_halt.is_some());
    assert!(core.runs().await.unwrap().fleet_halt.is_some());
    let why = core.why("orders").await.unwrap();
    assert_eq!(why.commands[0], "ratchet halt --lift");
    assert!(why.fleet_halt.is_some());
    let lifted = core.lift_halt("ann").await.unwrap();
    assert_eq!((lifted.halt, obeys(&stage)), (None, vec![false; 3]));
    assert_eq!(core.start(&plan, false, None, "ann").await.unwrap().state, RunState::Running);
}

#[tokio::test]
async fn a_second_halt_is_the_first_one_and_a_second_lift_is_nothing() {
    let stage = Stage::new();
    let core = stage.core().await;
    assert_eq!(core.lift_halt("ann").await.unwrap().told, 0, "nobody needs to hear of a halt that never was");
    let first = core.halt_fleet("one", "ann").await.unwrap();
    let second = core.halt_fleet("two", "ann").await.unwrap();
    assert_eq!(first.halt, second.halt);
    core.lift_halt("ann").await.unwrap();
    core.lift_halt("ann").await.unwrap();
    core.halt_fleet("three", "ann").await.unwrap();
    let numbers = stage.agents[0].with(|state| state.halt_numbers.clone());
    assert_eq!(numbers, [1, 1, 2, 2, 3], "a later word always has a higher number");
    assert_eq!(core.halt_fleet(" ", "ann").await.unwrap().halt.unwrap().why, "three");
    core.lift_halt("ann").await.unwrap();
    assert_eq!(core.halt_fleet(" ", "ann").await.unwrap_err().id, "usage", "a halt needs a reason");
}

#[tokio::test]
async fn a_run_at_work_is_asked_to_pause() {
    let (stage, core, plan) = ready().await;
    let run = core.start(&plan, false, None, "ann").await.unwrap();
    stage.agents[0].until_ordered().await;
    core.halt_fleet("stop", "ann").await.unwrap();
    stage.agents.iter().for_each(|agent| agent.let_steps_end(true));
    let (news, failure) = told(&core, &mut core.watching(id(&run.id), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(news.last().unwrap().run.state, RunState::Paused);
}

/// A run whose coordinator died has left its turn in the middle: that is brought to its end, and nothing more.
#[tokio::test]
async fn an_interrupted_run_is_taken_up_to_pause() {
    let stage = Stage::new();
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    drop(begun(&stage.store("ratchet.db").await, "orders", "r1").await);
    let core = stage.core().await;
    core.halt_fleet("stop", "ann").await.unwrap();
    core.go_on_with_interrupted().await;
    let (news, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(news.last().unwrap().run.state, RunState::Paused);
    let installs: u32 = news.last().unwrap().run.nodes.iter().map(|node| node.installs).sum();
    assert_eq!(installs, 0);
}

#[tokio::test]
async fn an_agent_that_is_gone_is_named_and_told_by_the_inventory() {
    let stage = Stage::new();
    stage.agents[1].with(|state| state.answers = false);
    let core = stage.core().await;
    let document = core.halt_fleet("stop", "ann").await.unwrap();
    assert_eq!((document.told, document.exit_code), (2, 6));
    assert_eq!(document.untold[0].agent, "n2:1");
    assert!(core.fleet_halt().await.unwrap().halt.is_some(), "it stands all the same");
    stage.agents[1].with(|state| state.answers = true);
    core.inventory_document().await.unwrap();
    assert_eq!(obeys(&stage), [true; 3]);
    let told = stage.agents[0].with(|state| state.halt_numbers.len());
    assert_eq!(told, 1, "who knows it is left alone");
}

#[tokio::test]
async fn a_halt_that_cannot_be_read_is_not_taken_for_none() {
    let (stage, core, plan) = ready().await;
    stage.store("ratchet.db").await.put(crate::store::Shelf::Halt, "fleet", "{").await.unwrap();
    assert_eq!(core.start(&plan, false, None, "ann").await.unwrap_err().id, "store-damaged");
}
