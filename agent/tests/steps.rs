//! Claims, joining, resuming and stopping, over the wire (promises P7, P8).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::time::Duration;

use common::*;
use proto::*;

fn confirm(deadline: Duration) -> StepSpec {
    StepSpec::Confirm { target: NEW.parse().unwrap(), deadline }
}

#[tokio::test]
async fn nothing_is_done_without_the_claim_and_a_superseded_driver_is_refused() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let (mut first, mut second) = (agent.driver(1), agent.driver(2));
    assert_eq!(first.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "not-claimed");
    first.claim().await.unwrap();
    let mut foreign = agent.driver_of("r2", 9);
    let refusal = foreign.claim().await.unwrap_err();
    assert_eq!(refusal.id, "claimed-by-other");
    assert!(refusal.message.contains("r1") && refusal.message.contains("test at epoch 1"), "{refusal:?}");
    assert_eq!(foreign.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "claimed-by-other");
    assert_eq!(foreign.release().await.unwrap_err().id, "claimed-by-other");
    second.claim().await.unwrap();
    assert_eq!(first.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "stale-epoch");
    assert_eq!(first.cancel("check").await.unwrap_err().id, "stale-epoch");
    agent.kill();
    let agent = Agent::start(&place);
    assert_eq!(agent.driver(1).claim().await.unwrap_err().id, "stale-epoch");
    let facts = agent.driver(1).observe().await;
    assert_eq!((facts.claim.unwrap().epoch, facts.highest_epoch), (Epoch(2), Epoch(2)));
    assert!(!place.path("state/steps/check").exists());
}

#[tokio::test]
async fn the_same_step_is_joined_and_another_one_under_its_name_refused() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = confirm(Duration::from_secs(30));
    assert_eq!(driver.join("confirm", &spec).await.unwrap_err().id, "never-ordered");
    let mut one = driver.open("confirm", &spec, 1).await.unwrap();
    assert_eq!(next(&mut one).await.unwrap().what, StepProgress::Started { resumed: false });
    assert!(matches!(next(&mut one).await.unwrap().what, StepProgress::Retry { .. }));
    let mut two = driver.open("confirm", &spec, 2).await.unwrap();
    assert_eq!(next(&mut two).await.unwrap().seq, 2);
    driver.join("confirm", &spec).await.unwrap();
    let other = confirm(Duration::from_secs(31));
    assert_eq!(driver.open("confirm", &other, 1).await.unwrap_err().id, "bug");
    assert_eq!(driver.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "busy");
    fs::write(place.path("root/version"), NEW).unwrap();
    while next(&mut one).await.is_some() {}
    assert!(matches!(completed(driver.outcome("confirm", &spec).await), StepReport::Confirm { .. }));
    // The end of one exclusive step is at once room for the next.
    completed(driver.outcome("check", &StepSpec::Check).await);
}

#[tokio::test]
async fn a_step_that_was_cut_off_goes_on_when_asked_again_and_its_deadline_does_not_move() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = confirm(Duration::from_secs(20));
    let mut events = driver.open("confirm", &spec, 1).await.unwrap();
    let gives_up = |event: &StepEvent| match event.what {
        StepProgress::Retry { gives_up_at, .. } => Some(gives_up_at),
        _ => None,
    };
    next(&mut events).await.unwrap();
    let before = gives_up(&next(&mut events).await.unwrap()).unwrap();
    agent.kill();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    assert_eq!(driver.observe().await.current_step, None, "only an install goes on by itself");
    assert_eq!(driver.join("confirm", &spec).await.unwrap_err().id, "not-running");
    let mut events = driver.open("confirm", &spec, 1).await.unwrap();
    let mut after = None;
    let mut resumed = false;
    while after.is_none() || !resumed {
        let event = next(&mut events).await.unwrap();
        resumed |= event.what == StepProgress::Started { resumed: true };
        after = if resumed { gives_up(&event) } else { None };
    }
    let moved = after.unwrap().duration_since(before).as_secs_f64().abs();
    assert!(moved < 1.0, "the deadline moved by {moved} s");
    driver.cancel("confirm").await.unwrap();
    assert_eq!(driver.outcome("confirm", &spec).await, StepOutcome::Cancelled);
    assert_eq!(driver.cancel("confirm").await.unwrap_err().id, "not-running");
}

#[tokio::test]
async fn a_torn_history_is_cut_and_the_step_goes_on() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    completed(driver.outcome("check", &StepSpec::Check).await);
    agent.kill();
    let events = place.path("state/steps/check/events");
    let bytes = fs::read(&events).unwrap();
    fs::write(&events, &bytes[..bytes.len() - 7]).unwrap();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    let all = driver.all("check", &StepSpec::Check).await;
    assert_eq!(all[1].what, StepProgress::Started { resumed: true });
    assert!(matches!(all.last().unwrap().what, StepProgress::Finished(_)));
}

#[tokio::test]
async fn a_check_says_what_is_wrong() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    place.program("rlcheck", "echo 'FAIL'; exit 1");
    let failure = failed(driver.outcome("check", &StepSpec::Check).await);
    assert_eq!(failure.id, "rlcheck-failed");
}

#[tokio::test]
async fn an_agent_that_is_told_to_stop_ends_its_streams_and_a_second_one_is_refused() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_ratchet-agent"))
        .arg("--config")
        .arg(place.path("agent.toml"))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another agent"));
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let mut events = driver.open("confirm", &confirm(Duration::from_secs(60)), 1).await.unwrap();
    next(&mut events).await.unwrap();
    let stopped = tokio::task::spawn_blocking(|| agent.terminate());
    let ended = loop {
        match tokio::time::timeout(PATIENCE, events.message()).await.unwrap() {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(status) => break Some(wire::failure_of(status).id),
        }
    };
    assert_eq!(ended.as_deref(), Some("stopping"));
    assert!(stopped.await.unwrap().success());
}

#[tokio::test]
async fn the_state_can_be_read_without_an_agent() {
    let place = Place::new();
    let package = place.package("");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(3);
    driver.claim().await.unwrap();
    driver.prepare(&package).await;
    agent.kill();
    let program = || std::process::Command::new(env!("CARGO_BIN_EXE_ratchet-agent"));
    let output = program().arg("--config").arg(place.path("agent.toml")).arg("status").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for wanted in
        ["claimed by run r1", "epoch 3", &package.sha256.to_string(), "step unpack (unpack): completed"]
    {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    fs::write(place.path("agent.toml"), "lisen = 1").unwrap();
    let output = program().arg("--config").arg(place.path("agent.toml")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("lisen"));
}

/// The operator's own limit is asked, and its refusal says where it stands.
#[tokio::test]
async fn an_archive_beyond_the_configured_limits_is_not_unpacked() {
    let place = Place::new();
    let package = place.package("");
    place.configure("[archive]\nmax_entries = 1\n");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let fetch = StepSpec::Fetch { package: package.clone(), rate_limit: None };
    completed(driver.outcome("fetch", &fetch).await);
    let unpack = StepSpec::Unpack { package: package.sha256, version: package.version };
    let failure = failed(driver.outcome("unpack", &unpack).await);
    assert_eq!(failure.id, "archive-too-large");
    assert!(failure.cause.unwrap().contains("is one more than the 1 entries allowed"));
    assert!(failure.remedy.unwrap().contains("[archive] of agent.toml"));
    assert!(!place.path("state").join("unpacked/unpack").exists());
}
