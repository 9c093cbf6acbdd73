//! Taking a cluster over: looked at first, done only with consent, whole or told in part, harmless again.

use proto::{Claim, Epoch, StepInFlight, StepKind};

use super::agent::OnTakeOver;
use super::stage::{Stage, append, begun, claim, held, id, name, noon, plan_json};
use crate::documents::{TakeoverDocument, TakeoverOutcome};
use crate::run::{Event, RunEnd};
use crate::server::Core;
use crate::store::{Acquire, SqliteStore, Store, StoreError};

async fn look(core: &Core) -> TakeoverDocument {
    core.take_over_cluster("orders", false, false, "ann").await.unwrap()
}

async fn take(core: &Core) -> TakeoverDocument {
    core.take_over_cluster("orders", true, false, "ann").await.unwrap()
}

fn taken(document: &TakeoverDocument) -> Vec<bool> {
    document.nodes.iter().map(|node| node.taken).collect()
}

async fn epoch_of(store: &SqliteStore) -> Option<Epoch> {
    store.latest_driver(&name("orders")).await.unwrap().map(|latest| latest.epoch)
}

fn install(stage: &Stage, agent: usize) {
    let step = "lost-1.h0.n2.install.a1".parse().unwrap();
    let step = StepInFlight { step, kind: StepKind::Install, since: noon() };
    stage.agents[agent].with(|state| state.step = Some(step));
}

#[tokio::test]
async fn looking_shows_everything_and_changes_nothing() {
    let stage = Stage::new();
    stage.held("lost-1", 9);
    install(&stage, 1);
    let core = stage.core().await;
    let document = look(&core).await;
    assert_eq!((document.outcome, document.exit_code), (TakeoverOutcome::Needed, 3));
    assert_eq!(document.nodes.len(), 3);
    for (node, uid) in document.nodes.iter().zip(1..) {
        let claim = node.claim.as_ref().unwrap();
        assert_eq!((node.uid, claim.run.as_str(), claim.epoch), (Some(uid), "lost-1", 9));
        assert_eq!(claim.holder, "bob@ops2 (process 41)");
        assert_eq!((node.highest_epoch, node.taken, &node.goes_to), (Some(9), false, &None));
    }
    assert_eq!(document.nodes[1].step.as_ref().unwrap().kind, "install");
    assert_eq!(document.reasons.len(), 6, "held and above, on each: {:?}", document.reasons);
    assert_eq!(document.obstacles.len(), 1, "{:?}", document.obstacles);
    assert!(document.next_commands.contains(&"ratchet takeover orders --yes --despite-install".to_owned()));
    assert_eq!(stage.holders(), vec![Some("lost-1".to_owned()); 3]);
    assert_eq!(stage.obeyed(), [9, 9, 9]);
    assert_eq!(epoch_of(&stage.store("ratchet.db").await).await, None);
}

#[tokio::test]
async fn the_nodes_of_a_lost_store_become_free_above_every_epoch_and_again_is_harmless() {
    let stage = Stage::new();
    stage.held("lost-1", 9);
    held(&stage.agents[2], "lost-1", 12);
    let core = stage.core().await;
    let document = take(&core).await;
    assert_eq!((document.outcome, document.exit_code), (TakeoverOutcome::Taken, 0));
    assert_eq!((document.epoch, taken(&document)), (Some(13), vec![true; 3]));
    assert_eq!(stage.holders(), [None, None, None]);
    assert_eq!(stage.obeyed(), [13, 13, 13]);
    assert_eq!(document.next_commands[0], "ratchet status orders");
    for agent in &stage.agents {
        agent.with(|state| {
            let asked = &state.taken[0];
            assert_eq!(asked.expected, Some(id("lost-1")));
            assert_eq!((asked.run.is_none(), asked.despite_install), (true, false));
        });
    }
    let again = take(&core).await;
    assert_eq!((again.outcome, again.exit_code, again.epoch), (TakeoverOutcome::Nothing, 0, None));
    assert_eq!(stage.obeyed(), [13, 13, 13]);
    let next = stage.store("ratchet.db").await;
    let lease = next.acquire(&name("orders"), "alice", Acquire::IfFree).await.unwrap();
    assert_eq!(lease.epoch, Epoch(14), "whoever drives next is obeyed");
}

#[tokio::test]
async fn the_run_of_a_hung_driver_keeps_its_nodes_and_can_be_resumed() {
    let stage = Stage::new();
    let hung = stage.store("ratchet.db").await;
    let lease = begun(&hung, "orders", "r1").await;
    stage.held("r1", lease.epoch.0);
    let core = stage.core().await;
    let seen = look(&core).await;
    let driver = seen.driver.clone().unwrap();
    assert_eq!((driver.holder.as_str(), driver.holds_lock), ("alice@ops1 (process 4)", true));
    assert_eq!((seen.run.as_deref(), seen.exit_code), (Some("r1"), 3));
    let document = take(&core).await;
    assert_eq!((document.outcome, document.epoch), (TakeoverOutcome::Taken, Some(2)));
    assert_eq!(stage.holders(), vec![Some("r1".to_owned()); 3]);
    assert_eq!(document.next_commands[0], "ratchet resume r1");
    // It wakes up: it can neither write nor order anything.
    let event = Event::Claimed { node: proto::NodeUid(1), memory: None };
    let fenced = hung.append(&lease, &id("r1"), 3, noon(), &event).await.unwrap_err();
    assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced}");
    assert_eq!(stage.obeyed(), [2, 2, 2]);
    drop(lease);
    let again = take(&core).await;
    assert_eq!((again.outcome, again.exit_code), (TakeoverOutcome::Nothing, 0));
    assert_eq!(again.next_commands[0], "ratchet resume r1");
    core.resume("r1", false, "ann").await.unwrap();
    let mut watching = core.watching(id("r1"), 1);
    while core.news(&mut watching).await.unwrap().is_some() {}
    let run = core.document(&id("r1"), None).await.unwrap();
    assert_eq!(run.state, crate::documents::RunState::Blocked, "it was driven on: {}", run.doing);
    assert_eq!(stage.obeyed(), [3, 3, 3]);
}

#[tokio::test]
async fn an_interrupted_run_of_this_store_is_nothing_to_take_over() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "orders", "r1").await;
    stage.held("r1", lease.epoch.0);
    drop(lease);
    let document = take(&stage.core().await).await;
    assert_eq!((document.outcome, document.exit_code), (TakeoverOutcome::Nothing, 0));
    assert_eq!(document.next_commands[0], "ratchet resume r1");
    assert_eq!(epoch_of(&store).await, Some(Epoch(1)), "nothing was changed");
}

#[tokio::test]
async fn claims_of_a_run_that_is_over_become_free() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "orders", "r1").await;
    append(
        &store,
        &lease,
        "r1",
        Event::Requested { request: crate::run::Request::Abort, by: "a".to_owned() },
    )
    .await;
    append(&store, &lease, "r1", Event::Ended(RunEnd::Aborted)).await;
    held(&stage.agents[1], "r1", lease.epoch.0);
    drop(lease);
    let document = take(&stage.core().await).await;
    assert_eq!(document.outcome, TakeoverOutcome::Taken);
    assert_eq!(stage.holders(), [None, None, None]);
}

#[tokio::test]
async fn an_install_at_work_is_not_taken_over_unless_in_so_many_words() {
    let stage = Stage::new();
    stage.held("lost-1", 9);
    install(&stage, 1);
    let core = stage.core().await;
    let failure = core.take_over_cluster("orders", true, false, "ann").await.unwrap_err();
    assert_eq!(failure.id, "install-in-flight");
    assert!(failure.message.contains("nothing was changed"), "{failure}");
    assert!(failure.remedy.unwrap().contains("ratchet takeover orders --yes --despite-install"));
    assert_eq!(stage.obeyed(), [9, 9, 9]);
    assert_eq!(epoch_of(&stage.store("ratchet.db").await).await, None);
    let document = core.take_over_cluster("orders", true, true, "ann").await.unwrap();
    assert_eq!(document.outcome, TakeoverOutcome::Taken);
    assert!(stage.agents.iter().all(|agent| agent.with(|state| state.taken[0].despite_install)));
}

#[tokio::test]
async fn a_node_out_of_reach_is_never_passed_by() {
    let stage = Stage::new();
    stage.held("lost-1", 9);
    stage.agents[2].with(|state| state.answers = false);
    let core = stage.core().await;
    let seen = look(&core).await;
    assert_eq!((seen.exit_code, seen.obstacles.len()), (3, 1));
    let lost = seen.nodes.iter().find(|node| !node.reachable).unwrap();
    assert_eq!(lost.agent, "n3:1");
    for despite in [false, true] {
        let failure = core.take_over_cluster("orders", true, despite, "ann").await.unwrap_err();
        assert_eq!(failure.id, "agent-unreachable");
        assert!(
            failure.message.contains("n3:1") && failure.message.contains("nothing was changed"),
            "{failure}"
        );
    }
    assert_eq!(stage.obeyed(), [9, 9, 9]);
    assert_eq!(epoch_of(&stage.store("ratchet.db").await).await, None);
}

#[tokio::test]
async fn nothing_seen_on_the_nodes_that_answer_is_no_success_while_one_does_not() {
    let stage = Stage::new();
    stage.agents[0].with(|state| state.answers = false);
    let document = look(&stage.core().await).await;
    assert_eq!((document.outcome, document.exit_code), (TakeoverOutcome::Nothing, 6));
    assert!(document.summary.contains("not all of them"), "{}", document.summary);
}

#[tokio::test]
async fn an_agent_lost_half_way_leaves_a_partial_take_over_that_the_same_command_ends() {
    for lost in [OnTakeOver::Gone, OnTakeOver::AnswerLost] {
        let stage = Stage::new();
        stage.held("lost-1", 9);
        stage.agents[1].with(|state| state.take_overs.push_back(lost));
        let core = stage.core().await;
        let document = take(&core).await;
        assert_eq!((document.outcome, document.exit_code), (TakeoverOutcome::Partial, 6));
        assert_eq!(taken(&document), [true, false, true], "the others are better off");
        assert!(document.summary.contains("not n2:1"), "{}", document.summary);
        assert!(document.next_commands.contains(&"ratchet takeover orders --yes".to_owned()));
        let again = take(&core).await;
        assert!(again.exit_code == 0, "{:?}", again.summary);
        assert_eq!(stage.holders(), [None, None, None]);
        assert_eq!(take(&core).await.outcome, TakeoverOutcome::Nothing);
    }
}

#[tokio::test]
async fn a_claim_that_changed_hands_meanwhile_is_left_and_ends_it() {
    let stage = Stage::new();
    stage.held("lost-1", 9);
    let faster = Claim { holder: "carol@ops3".to_owned(), ..claim("other-1", 9) };
    stage.agents[1].with(|state| state.take_overs.push_back(OnTakeOver::ChangedHands(faster)));
    let document = take(&stage.core().await).await;
    assert_eq!((document.outcome, document.exit_code), (TakeoverOutcome::Partial, 4));
    assert_eq!(taken(&document), [true, false, false]);
    let ids: Vec<_> =
        document.nodes.iter().filter_map(|node| Some(node.error.as_ref()?.id.as_str())).collect();
    assert_eq!(ids, ["claimed-by-other", "not-asked"]);
    let holders = stage.holders();
    assert_eq!((holders[1].as_deref(), holders[2].as_deref()), (Some("other-1"), Some("lost-1")));
}

#[tokio::test]
async fn a_store_below_its_agents_starts_nothing_and_says_what_to_do() {
    let stage = Stage::new();
    stage.agents[1].with(|state| state.highest = Epoch(5));
    let core = stage.core_on("new.db").await;
    let failure = core.start(&plan_json("orders"), false, None, "ann").await.unwrap_err();
    assert_eq!(failure.id, "takeover-needed");
    assert!(failure.message.contains("n2:1 obeys epoch 5 of orders"), "{failure}");
    assert_eq!(failure.remedy.as_deref(), Some("ratchet takeover orders"));
    assert!(core.store().runs().await.unwrap().is_empty());
    assert_eq!(take(&core).await.outcome, TakeoverOutcome::Taken);
    let failure = core.start(&plan_json("orders"), false, None, "ann").await.unwrap_err();
    assert_eq!(failure.id, "stale-plan", "it is obeyed now, and refuses for another reason: {failure}");
}

/// Two stores that count by themselves come to the same numbers: the same epoch is not above.
#[tokio::test]
async fn a_store_that_would_drive_at_an_epoch_that_was_used_starts_nothing() {
    let stage = Stage::new();
    stage.agents[0].with(|state| state.highest = Epoch(1));
    let failure =
        stage.core_on("new.db").await.start(&plan_json("orders"), false, None, "ann").await.unwrap_err();
    assert_eq!(failure.id, "takeover-needed");
    assert!(failure.message.contains("this store would drive at 1"), "{failure}");
}

#[tokio::test]
async fn a_cluster_that_is_not_configured_is_not_taken_over() {
    let stage = Stage::new();
    let failure = stage.core().await.take_over_cluster("elsewhere", true, true, "ann").await.unwrap_err();
    assert_eq!(failure.id, "no-such-cluster");
}
