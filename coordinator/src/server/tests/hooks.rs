//! The operator's own programs: what they may stop, and that nothing stops for ever because of them.

mod meanwhile;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proto::wire::RunHooks;
use proto::{HookPoint, HookVerdict, NodeUid};

use super::drivers::{kinds, told};
use super::stage::{Stage, begun_with, id};
use crate::checks::{Finding, Verdict};
use crate::documents::{PlanOutcome, RunDocument, RunState, WatchDocument};
use crate::run::{Event, Record};
use crate::server::Core;
use crate::store::Store;

/// A stage whose coordinator has hooks, each of which may take so long.
fn stage(deadline: &str) -> Stage {
    let mut stage = Stage::new();
    fs::create_dir(stage.path("hooks")).unwrap();
    mode(&stage, "hooks");
    stage.more = format!("[hooks]\ndirectory = {:?}\ndeadline = \"{deadline}\"\n", stage.path("hooks"));
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    stage
}

fn mode(stage: &Stage, below: &str) {
    fs::set_permissions(stage.path(below), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Puts a hook where it was not, or in place of what was there.
fn hook(stage: &Stage, point: HookPoint, name: &str, script: &str) {
    let (directory, file) = (format!("hooks/{point}"), format!("hooks/{point}/{name}"));
    fs::create_dir_all(stage.path(&directory)).unwrap();
    mode(stage, &directory);
    fs::write(stage.path(&file), format!("#!/bin/sh\n{script}\n")).unwrap();
    mode(stage, &file);
}

/// Lets the run go on that was begun, and everything there was to tell until it stood still.
async fn driven(core: &Core) -> (Vec<WatchDocument>, RunDocument) {
    core.go_on_with_interrupted().await;
    followed(core).await
}

async fn resumed(core: &Core) -> (Vec<WatchDocument>, RunDocument) {
    core.resume("r1", false, "ann").await.unwrap();
    followed(core).await
}

async fn followed(core: &Core) -> (Vec<WatchDocument>, RunDocument) {
    let (news, failure) = told(core, &mut core.watching(id("r1"), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    let run = news.last().unwrap().run.clone();
    (news, run)
}

async fn begun(stage: &Stage, accepted: &[&str]) {
    drop(begun_with(&stage.store("ratchet.db").await, "orders", "r1", accepted).await);
}

async fn journal(stage: &Stage) -> Vec<Event> {
    let records = stage.store("ratchet.db").await.journal(&id("r1"), 1).await.unwrap();
    records.into_iter().map(|Record { event, .. }| event).collect()
}

fn of_kind(events: &[Event], kind: &str) -> usize {
    events.iter().filter(|event| event.kind() == kind).count()
}

fn installs(events: &[Event]) -> Vec<u32> {
    let install = |event: &Event| match event {
        Event::StepIntended { spec: proto::StepSpec::Install(_), node, .. } => Some(node.0),
        _ => None,
    };
    events.iter().filter_map(install).collect()
}

fn points(asked: &[RunHooks]) -> Vec<&'static str> {
    asked.iter().map(|asked| asked.call.point.word()).collect()
}

fn named<'f>(findings: &'f [Finding], check: &str) -> &'f Finding {
    findings.iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("{check}: {findings:?}"))
}

#[tokio::test]
async fn a_failing_hook_blocks_the_plan_with_its_output_and_one_that_is_accepted_does_not() {
    let mut stage = stage("30s");
    stage.with_package();
    hook(&stage, HookPoint::BeforePlan, "10-change", "echo 'no change request' >&2; exit 3");
    let target = "7.8.2-34".parse().unwrap();
    let core = stage.core().await;
    let plan = core.plan("orders", target, &[]).await.unwrap();
    assert_eq!(plan.outcome, PlanOutcome::Blocked);
    let blocking: Vec<&Finding> = plan.findings.iter().filter(|finding| finding.blocks()).collect();
    assert_eq!(blocking.len(), 1, "{blocking:?}");
    assert_eq!((blocking[0].check.as_str(), blocking[0].verdict), ("hook:10-change", Verdict::Block));
    assert_eq!(blocking[0].saw, "it ended with exit status 3; it printed: no change request");
    assert!(blocking[0].remedy.as_ref().unwrap().contains("before-plan/10-change"), "{blocking:?}");

    let accepted = ["hook:10-change=it comes on Monday".parse().unwrap()];
    let plan = core.plan("orders", target, &accepted).await.unwrap();
    assert_eq!(plan.outcome, PlanOutcome::Ready, "{:?}", plan.findings);
    assert_eq!(named(&plan.findings, "hook:10-change").accepted.as_deref(), Some("it comes on Monday"));

    stage.agents[1].with(|state| state.hooks = vec![(HookPoint::BeforePlan, HookVerdict::Block)]);
    let plan = core.plan("orders", target, &accepted).await.unwrap();
    assert_eq!(plan.outcome, PlanOutcome::Blocked);
    let finding = named(&plan.findings, "hook:10-of-node");
    assert_eq!((finding.node, finding.agent.as_deref()), (Some(NodeUid(2)), Some("n2:1")));
    let asked = stage.agents[1].with(|state| state.asked.clone());
    assert!(asked.iter().all(|asked| asked.authority.is_none() && asked.call.run.is_none()), "{asked:?}");
    assert_eq!(asked[0].call.node.as_ref().unwrap().agent, "n2:1");
}

#[tokio::test]
async fn hooks_that_cannot_be_looked_at_block_the_plan() {
    let mut stage = stage("30s");
    stage.with_package();
    fs::remove_dir(stage.path("hooks")).unwrap();
    let plan = stage.core().await.plan("orders", "7.8.2-34".parse().unwrap(), &[]).await.unwrap();
    assert_eq!(plan.outcome, PlanOutcome::Blocked);
    let finding = named(&plan.findings, "hook:before-plan");
    assert_eq!(finding.verdict, Verdict::CannotTell);
    assert!(finding.saw.contains("hooks cannot be read"), "{finding:?}");
}

#[tokio::test]
async fn a_hook_before_a_turn_halts_before_any_install_is_intended_and_resume_asks_it_again() {
    let stage = stage("30s");
    hook(
        &stage,
        HookPoint::BeforeTurn,
        "10-window",
        "grep -q '\"uid\":1' || exit 0; echo 'not now' >&2; exit 1",
    );
    hook(&stage, HookPoint::OnHalt, "10-page", &format!("cat > {:?}", stage.path("paged")));
    begun(&stage, &[]).await;
    let core = stage.core().await;
    let (_, run) = driven(&core).await;
    assert_eq!(run.state, RunState::Halted);
    let failure = run.halt.unwrap().error;
    assert_eq!(failure.id, "hook-failed");
    assert_eq!(
        failure.message,
        "hook 10-window (before-turn, on the coordinator) does not let the turn of node:1 begin"
    );
    assert_eq!(failure.cause.as_deref(), Some("it ended with exit status 1; it printed: not now"));
    let remedy = failure.remedy.unwrap();
    assert!(remedy.contains("10-window says") && remedy.ends_with(", then: ratchet resume r1"), "{remedy}");
    let events = journal(&stage).await;
    assert_eq!((installs(&events), of_kind(&events, "gate_passed")), (vec![], 0));
    let paged = fs::read_to_string(stage.path("paged")).unwrap();
    let paged: serde_json::Value = serde_json::from_str(&paged).unwrap();
    assert_eq!((&paged["halt"]["id"], &paged["halt"]["node"]), (&"hook-failed".into(), &1.into()), "{paged}");
    assert!(
        matches!(events.last(), Some(Event::Hooked { outcomes }) if outcomes[0].point == HookPoint::OnHalt)
    );

    hook(&stage, HookPoint::BeforeTurn, "10-window", "exit 0");
    let (_, run) = resumed(&core).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    assert_eq!(installs(&journal(&stage).await), [1, 2, 3]);
}

#[tokio::test]
async fn a_hook_on_the_node_is_asked_for_its_own_turns_and_under_the_claim() {
    let stage = stage("30s");
    let says = |point, verdict| move |state: &mut super::agent::State| state.hooks = vec![(point, verdict)];
    stage.agents[1].with(says(HookPoint::BeforeTurn, HookVerdict::CannotTell));
    begun(&stage, &[]).await;
    let core = stage.core().await;
    let (_, run) = driven(&core).await;
    assert_eq!(run.state, RunState::Halted, "{}", run.doing);
    let failure = run.halt.unwrap().error;
    assert!(failure.message.contains("10-of-node (before-turn, on node:2)"), "{failure:?}");
    assert_eq!(installs(&journal(&stage).await), [1], "the turn before it was whole");
    let (first, third) = (stage.agents[0].with(|state| state.asked.clone()), &stage.agents[2]);
    assert_eq!(points(&first), ["before-turn", "after-turn", "on-halt"]);
    assert_eq!(points(&third.with(|state| state.asked.clone())), ["on-halt"]);
    let authority = first[0].authority.as_ref().unwrap();
    assert_eq!((authority.run.as_str(), first[0].call.run.as_ref()), ("r1", Some(&authority.run)));
    assert_eq!(first[0].call.hop.as_ref().unwrap().to, "7.8.2-34".parse().unwrap());

    stage.agents[1].with(says(HookPoint::BeforeTurn, HookVerdict::Warn));
    let (_, run) = resumed(&core).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
}

#[tokio::test]
async fn what_the_plan_accepts_does_not_halt_a_turn_and_is_written_down_all_the_same() {
    let stage = stage("30s");
    hook(&stage, HookPoint::BeforeTurn, "10-window", "exit 1");
    begun(&stage, &["hook:10-window=agreed with the team"]).await;
    let (_, run) = driven(&stage.core().await).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    let events = journal(&stage).await;
    assert_eq!((installs(&events), of_kind(&events, "hooked")), (vec![1, 2, 3], 3));
}

#[tokio::test]
async fn a_hook_after_a_turn_halts_before_the_next_one_and_resume_asks_it_again() {
    let stage = stage("30s");
    hook(
        &stage,
        HookPoint::AfterTurn,
        "10-smoke",
        "echo '{\"verdict\":\"block\",\"message\":\"slow\",\"remedy\":\"look\"}'",
    );
    begun(&stage, &[]).await;
    let core = stage.core().await;
    let (_, run) = driven(&core).await;
    let failure = run.halt.unwrap().error;
    assert_eq!((run.state, failure.id.as_str()), (RunState::Halted, "hook-failed"));
    assert_eq!(
        failure.message,
        "hook 10-smoke (after-turn, on the coordinator) does not let the turn of node:1 end"
    );
    assert_eq!(
        (failure.cause.as_deref(), failure.remedy.as_deref()),
        (Some("slow"), Some("look, then: ratchet resume r1"))
    );
    let events = journal(&stage).await;
    assert_eq!((installs(&events), of_kind(&events, "witnessed")), (vec![1], 0));
    let (_, run) = resumed(&core).await;
    assert_eq!(run.state, RunState::Halted, "it was asked again");
    hook(&stage, HookPoint::AfterTurn, "10-smoke", "exit 0");
    let (_, run) = resumed(&core).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    let events = journal(&stage).await;
    assert_eq!(
        (installs(&events), of_kind(&events, "witnessed")),
        (vec![1, 2, 3], 3),
        "nothing is installed twice"
    );
}

#[tokio::test]
async fn hooks_after_a_run_are_told_and_change_nothing() {
    let stage = stage("30s");
    hook(
        &stage,
        HookPoint::AfterRun,
        "10-ticket",
        "grep -q '\"outcome\":\"done\"' && echo 'tracker is down' >&2; exit 1",
    );
    begun(&stage, &[]).await;
    let (news, run) = driven(&stage.core().await).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    let kinds = kinds(&news);
    assert_eq!(kinds[kinds.len() - 3..], ["hooked", "advised", "ended"]);
    let events = news.iter().flat_map(|news| &news.events);
    let text = &events.clone().find(|event| event.kind == "hooked").unwrap().text;
    assert_eq!(
        text,
        "hooks after-run: 10-ticket on the coordinator blocks: it ended with exit status 1; it printed: tracker is down"
    );
    let advice = &events.clone().find(|event| event.kind == "advised").unwrap().text;
    assert!(advice.contains("hook 10-ticket (after-run, on the coordinator): it ended with"), "{advice}");
    let asked = stage.agents[2].with(|state| state.asked.clone());
    assert_eq!(points(&asked), ["before-turn", "after-turn", "after-run"]);
}

#[tokio::test]
async fn a_hanging_hook_ends_at_its_deadline_and_the_run_halts_and_can_be_aborted() {
    let stage = stage("1s");
    hook(&stage, HookPoint::BeforeTurn, "10-hangs", "echo waiting for godot >&2; sleep 600");
    hook(&stage, HookPoint::OnHalt, "10-hangs-too", "sleep 600");
    begun(&stage, &[]).await;
    let core = stage.core().await;
    let (_, run) = driven(&core).await;
    let cause = run.halt.unwrap().error.cause.unwrap();
    assert_eq!((run.state, of_kind(&journal(&stage).await, "gate_passed")), (RunState::Halted, 0));
    assert_eq!(cause, "it had not ended after 1s and was killed; it printed: waiting for godot");
    core.abort("r1", "ann").await.unwrap();
    let (_, run) = followed(&core).await;
    assert_eq!(run.state, RunState::Aborted, "{}", run.doing);
    assert_eq!(stage.holders(), [None, None, None]);
}

#[tokio::test]
async fn without_hooks_the_journal_says_nothing_of_them() {
    let stage = Stage::new();
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    begun(&stage, &[]).await;
    let (news, run) = driven(&stage.core().await).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    assert!(!kinds(&news).contains(&"hooked".to_owned()), "{:?}", kinds(&news));
}

/// The example in the document does what the document says.
#[tokio::test]
async fn the_documented_example_works() {
    let document = include_str!("../../../../docs/hooks.md");
    let (_, example) = document.split_once("```sh\n#!/bin/sh\n").unwrap();
    let stage = stage("30s");
    let freeze = stage.path("freeze");
    let script =
        example.split_once("```").unwrap().0.replace("/etc/ratchet/freeze", freeze.to_str().unwrap());
    hook(&stage, HookPoint::BeforeTurn, "10-freeze", &script);
    fs::write(&freeze, "quarter's end\n").unwrap();
    begun(&stage, &[]).await;
    let core = stage.core().await;
    let (_, run) = driven(&core).await;
    let failure = run.halt.unwrap().error;
    assert_eq!(failure.cause.as_deref(), Some("changes are frozen; it printed: node 1 waits: quarter's end"));
    assert_eq!(failure.remedy, Some(format!("wait, or rm {}, then: ratchet resume r1", freeze.display())));
    fs::remove_file(&freeze).unwrap();
    let (_, run) = resumed(&core).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
}
