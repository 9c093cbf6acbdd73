//! Hooks on a node, over the wire.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::*;
use proto::*;

fn mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A place whose agent has hooks, each of which may take so long.
fn place(deadline: &str) -> Place {
    let place = Place::new();
    let hooks = place.path("hooks");
    fs::create_dir(&hooks).unwrap();
    mode(&hooks, 0o755);
    place.configure(&format!("[hooks]\ndirectory = '{}'\ndeadline = '{deadline}'\n", hooks.display()));
    place
}

fn hook(place: &Place, point: HookPoint, name: &str, script: &str) {
    let directory = place.path(&format!("hooks/{point}"));
    fs::create_dir_all(&directory).unwrap();
    mode(&directory, 0o755);
    fs::write(directory.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
    mode(&directory.join(name), 0o755);
}

fn call(point: HookPoint, run: Option<&str>) -> HookCall {
    HookCall {
        point,
        cluster: "orders".parse().unwrap(),
        target: NEW.parse().unwrap(),
        run: run.map(|run| run.parse().unwrap()),
        node: Some(HookNode { uid: NodeUid(1), agent: "n1:7443".to_owned() }),
        hop: None,
        halt: None,
        outcome: None,
    }
}

#[tokio::test]
async fn hooks_of_a_point_run_on_the_node_and_their_answers_come_back() {
    let place = place("30s");
    hook(
        &place,
        HookPoint::BeforePlan,
        "10-fine",
        "grep -q '\"side\":\"node\"' && grep -q x /dev/null; true",
    );
    hook(&place, HookPoint::BeforePlan, "20-no", "echo 'no room for a backup' >&2; exit 4");
    hook(
        &place,
        HookPoint::AfterRun,
        "10-later",
        "echo '{\"verdict\":\"warn\",\"message\":\"mail is down\"}'",
    );
    let agent = Agent::start(&place);
    let outcomes = agent.driver(1).run_hooks(call(HookPoint::BeforePlan, None)).await.unwrap();
    let said: Vec<_> = outcomes.iter().map(|outcome| (outcome.name.as_str(), outcome.verdict)).collect();
    assert_eq!(said, [("10-fine", HookVerdict::Pass), ("20-no", HookVerdict::Block)]);
    assert_eq!(outcomes[1].said(), "it ended with exit status 4; it printed: no room for a backup");
    assert_eq!((outcomes[1].side, outcomes[1].node), (HookSide::Node, Some(NodeUid(1))));
    assert_eq!(agent.driver(1).run_hooks(call(HookPoint::OnHalt, Some("r1"))).await.unwrap(), []);
    let outcomes = agent.driver(1).run_hooks(call(HookPoint::AfterRun, Some("r1"))).await.unwrap();
    assert_eq!((outcomes[0].verdict, outcomes[0].message.as_str()), (HookVerdict::Warn, "mail is down"));
}

#[tokio::test]
async fn a_foreign_run_has_nothing_run() {
    let place = place("30s");
    let ran = place.path("ran");
    for point in HookPoint::ALL {
        hook(&place, point, "10-note", &format!("echo {point} >> {}", ran.display()));
    }
    let agent = Agent::start(&place);
    let (mut ours, mut foreign) = (agent.driver_of("r1", 3), agent.driver_of("r2", 4));
    let failure = ours.run_hooks(call(HookPoint::BeforeTurn, Some("r1"))).await.unwrap_err();
    assert_eq!(failure.id, "not-claimed");
    ours.claim().await.unwrap();
    for point in [HookPoint::BeforeTurn, HookPoint::AfterTurn, HookPoint::OnHalt, HookPoint::AfterRun] {
        let failure = foreign.run_hooks(call(point, Some("r2"))).await.unwrap_err();
        assert_eq!(failure.id, "claimed-by-other", "{point}");
        let failure = agent.driver_of("r1", 2).run_hooks(call(point, Some("r1"))).await.unwrap_err();
        assert_eq!(failure.id, "stale-epoch", "{point}");
        assert!(foreign.run_hooks(call(point, Some("r1"))).await.is_err(), "{point}: not its own run");
    }
    assert!(!ran.exists(), "nothing was run: {:?}", fs::read_to_string(&ran));
    ours.run_hooks(call(HookPoint::BeforeTurn, Some("r1"))).await.unwrap();
    ours.release().await.unwrap();
    ours.run_hooks(call(HookPoint::AfterRun, Some("r1"))).await.unwrap();
    assert_eq!(fs::read_to_string(&ran).unwrap(), "before-turn\nafter-run\n");
}

#[tokio::test]
async fn a_hanging_hook_is_killed_and_what_cannot_be_run_is_named() {
    let place = place("2s");
    hook(&place, HookPoint::BeforePlan, "10-hangs", "echo waiting >&2; sleep 600");
    hook(&place, HookPoint::BeforePlan, "20-open", "true");
    mode(&place.path("hooks/before-plan/20-open"), 0o777);
    let agent = Agent::start(&place);
    let outcomes = agent.driver(1).run_hooks(call(HookPoint::BeforePlan, None)).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.verdict == HookVerdict::CannotTell), "{outcomes:?}");
    assert_eq!(outcomes[0].said(), "it had not ended after 2s and was killed; it printed: waiting");
    assert!(outcomes[1].message.contains("20-open can be written"), "{outcomes:?}");
    fs::remove_dir_all(place.path("hooks")).unwrap();
    let outcomes = agent.driver(1).run_hooks(call(HookPoint::BeforePlan, None)).await.unwrap();
    assert_eq!((outcomes.len(), outcomes[0].verdict), (1, HookVerdict::CannotTell), "{outcomes:?}");
}

#[tokio::test]
async fn an_agent_without_hooks_says_that_there_are_none_to_anybody() {
    let agent = Agent::start(&Place::new());
    for point in HookPoint::ALL {
        let run = (point != HookPoint::BeforePlan).then_some("r1");
        assert_eq!(agent.driver(1).run_hooks(call(point, run)).await.unwrap(), [], "{point}");
    }
}
