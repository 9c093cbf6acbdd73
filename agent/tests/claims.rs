//! Take-over, memory and histories, over the wire (promise P8).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Write;
use std::process::Command;

use common::*;
use proto::*;

/// Waits in the installer for a file, which the test makes when it is time.
const WAIT: &str = "while [ ! -e \"$ROOT/go\" ]; do sleep 0.05; done";

#[tokio::test]
async fn a_claim_is_taken_over_from_who_was_seen_and_at_a_higher_epoch_only() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut gone = agent.driver_of("r1", 5);
    let memory = gone.claim().await.unwrap().memory;
    let refused = async |epoch, expected, id: &str| {
        let failure = agent.driver_of("r2", epoch).take_over(expected, true, false).await.unwrap_err();
        assert_eq!(failure.id, id, "{failure:?}");
        assert!(failure.remedy.is_some(), "{failure:?}");
    };
    refused(5, Some("r1"), "stale-epoch").await;
    refused(4, Some("r1"), "stale-epoch").await;
    refused(6, Some("r3"), "claimed-by-other").await;
    refused(6, None, "claimed-by-other").await;
    gone.open("check", &StepSpec::Check, 1).await.unwrap();

    let mut heir = agent.driver_of("r2", 6);
    let taken = heir.take_over(Some("r1"), true, false).await.unwrap();
    assert_eq!((taken.before.unwrap().run.as_str(), taken.memory), ("r1", memory.clone()));
    assert_eq!(gone.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "stale-epoch");
    completed(heir.outcome("check-2", &StepSpec::Check).await);

    let mut person = agent.driver_of("r9", 7);
    let taken = person.take_over(Some("r2"), false, false).await.unwrap();
    assert_eq!(taken.before.unwrap().epoch, Epoch(6));
    let facts = person.observe().await;
    assert_eq!((facts.claim, facts.highest_epoch, facts.memory), (None, Epoch(7), memory.clone()));
    refused(8, Some("r2"), "claimed-by-other").await;
    agent.kill();

    let agent = Agent::start(&place);
    assert_eq!(agent.driver_of("r2", 6).claim().await.unwrap_err().id, "stale-epoch");
    assert_eq!(agent.driver_of("r4", 8).claim().await.unwrap().memory, memory);
    fs::remove_dir_all(place.path("state")).unwrap();
    agent.kill();
    let facts = Agent::start(&place).driver(1).observe().await;
    assert_ne!(facts.memory, memory, "a fresh directory knows nothing of before");
}

#[tokio::test]
async fn another_node_is_not_taken_over() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    place.program(
        "rladmin",
        &RLADMIN.replace("s/@VERSION@", "s/^[*]node:1/ node:1/; s/^node:2/*node:2/; s/@VERSION@"),
    );
    assert_eq!(driver.take_over(None, true, false).await.unwrap_err().id, "wrong-node");
    assert_eq!(driver.observe().await.claim, None);
}

#[tokio::test]
async fn during_an_installation_it_takes_as_many_words() {
    let place = Place::new();
    let package = place.package(&format!("echo waiting; {WAIT}; echo {NEW} > \"$ROOT/version\""));
    let agent = Agent::start(&place);
    let mut gone = agent.driver_of("r1", 1);
    gone.claim().await.unwrap();
    let spec = StepSpec::Install(gone.prepare(&package).await);
    let mut events = gone.open("install", &spec, 1).await.unwrap();
    until_output(&mut events, "waiting").await;

    let mut heir = agent.driver_of("r2", 2);
    let failure = heir.take_over(Some("r1"), true, false).await.unwrap_err();
    assert_eq!(failure.id, "install-in-flight");
    assert!(failure.message.contains("install"), "names the step: {failure:?}");
    let facts = heir.observe().await;
    assert_eq!((facts.claim.unwrap().run.as_str(), facts.highest_epoch), ("r1", Epoch(1)));
    heir.take_over(Some("r1"), true, true).await.unwrap();
    assert_eq!(heir.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "busy");
    fs::write(place.path("root/go"), "").unwrap();
    while next(&mut events).await.is_some() {}
    completed(heir.outcome("check", &StepSpec::Check).await);
    let told = heir.histories("r1").await.unwrap();
    let install = told.iter().find(|history| history.kind == StepKind::Install).unwrap();
    assert!(install.ended, "the installation went on to its end: {install:?}");
}

#[tokio::test]
async fn histories_tell_what_there_is_without_a_claim_and_say_what_was_lost() {
    let place = Place::new();
    let package = place.package("i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    let all = driver.all("install", &spec).await;
    completed(driver.outcome("check", &StepSpec::Check).await);
    let mut anybody = agent.driver_of("r9", 0);
    assert_eq!(anybody.histories("r2").await.unwrap(), []);
    let told = anybody.histories("r1").await.unwrap();
    let steps: Vec<&str> = told.iter().map(|history| history.step.as_str()).collect();
    assert_eq!(steps, ["check", "fetch", "install", "unpack"]);
    assert!(told.iter().all(|history| history.ended && history.cut_bytes.is_none()), "{told:?}");
    let install = &told[2];
    let is_line = |event: &&StepEvent| matches!(event.what, StepProgress::Output(_));
    let lines: Vec<&StepEvent> = install.events.iter().filter(is_line).collect();
    assert_eq!(lines.len(), 20);
    assert_eq!(lines[19].what, StepProgress::Output("line 99".to_owned()));
    assert_eq!((install.events.first(), install.events.last()), (all.first(), all.last()));
    agent.kill();

    let events = place.path("state/steps/check/events");
    let mut file = fs::OpenOptions::new().append(true).open(&events).unwrap();
    file.write_all(b"torn").unwrap();
    let status = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ratchet-agent"));
        let output = command.arg("--config").arg(place.path("agent.toml")).arg("status").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = status();
    assert!(
        text.contains("check (check): completed") && text.contains("the last 4 bytes are damaged"),
        "{text}"
    );
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    assert_eq!(driver.histories("r1").await.unwrap()[0].cut_bytes, Some(4), "as it is on the disk");
    completed(driver.outcome("check", &StepSpec::Check).await);
    assert_eq!(driver.histories("r1").await.unwrap()[0].cut_bytes, Some(4), "after it was cut");
    let text = status();
    assert!(
        text.contains("; 4 damaged bytes were cut off, kept in ") && text.contains("events.damaged"),
        "{text}"
    );
}

#[tokio::test]
async fn what_a_later_agent_wrote_is_refused_by_name_and_not_touched() {
    let place = Place::new();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    completed(driver.outcome("check", &StepSpec::Check).await);
    let spoil = |file: &str, text: &str| {
        let path = place.path("state/steps/check").join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        (path, before)
    };
    for (file, text) in [("events", "ratchet-journal 2\n{}\n"), ("spec.json", "{\"format\": 2}")] {
        let (path, before) = spoil(file, text);
        let refused = driver.open("check", &StepSpec::Check, 1).await.unwrap_err();
        assert_eq!(refused.id, "state-format", "{refused:?}");
        assert!(refused.message.contains(file) && refused.message.contains("format 2"), "{refused:?}");
        assert!(refused.remedy.unwrap().contains("install the version"));
        assert_eq!(driver.histories("r1").await.unwrap_err().id, "state-format");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        fs::write(&path, before).unwrap();
    }
    completed(driver.outcome("check", &StepSpec::Check).await);
    agent.kill();
    for file in ["claim.json", "memory.json"] {
        let path = place.path("state").join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, "{\"format\": 2}").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ratchet-agent"));
        let output = command.arg("--config").arg(place.path("agent.toml")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(file) && said.contains("has format 2"), "{said}");
        fs::write(&path, before).unwrap();
    }
}
