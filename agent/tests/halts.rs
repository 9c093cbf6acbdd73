//! Halts, by the real program: no installer begins, what runs goes on, and no restart forgets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::process::Command;

use common::*;
use proto::*;

fn ratchet_agent(place: &Place, arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ratchet-agent"));
    let output = program.arg("--config").arg(place.path("agent.toml")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_halted_node_begins_no_install_until_it_is_lifted() {
    let place = Place::new();
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    assert_eq!(driver.set_halt("fleet", 4, true).await.unwrap(), ["fleet"]);
    let refused = driver.open("install", &spec, 1).await.unwrap_err();
    assert_eq!((refused.id.as_str(), refused.kind), ("halted", FailureKind::Retry));
    assert!(refused.message.contains("alice") && refused.remedy.unwrap().contains("ratchet halt --lift"));
    // Everything else is as it was.
    completed(driver.outcome("check", &StepSpec::Check).await);
    agent.kill();

    let agent = Agent::start(&place);
    let mut driver = agent.driver(2);
    let halts = driver.observe().await.halts;
    assert_eq!((halts.len(), halts[0].source.as_str(), halts[0].halt.why.as_str()), (1, "fleet", "smoke"));
    let status = ratchet_agent(&place, &["status"]);
    assert!(status.contains("HALTED: the fleet was halted by alice"), "{status}");
    assert!(status.contains("ratchet halt --lift"), "{status}");
    driver.claim().await.unwrap();
    assert_eq!(driver.open("install-2", &spec, 1).await.unwrap_err().id, "halted");
    assert_eq!(driver.set_halt("fleet", 3, false).await.unwrap_err().id, "stale-halt");
    assert_eq!(driver.set_halt("fleet", 5, false).await.unwrap(), [""; 0]);
    // The orders that were refused are closed: a copy of one that was on its way starts nothing now.
    for step in ["install", "install-2"] {
        assert_eq!(failed(driver.outcome(step, &spec).await).id, "not-started");
    }
    assert_eq!(lines(&place.path("root/starts")), 0);
    installed(driver.outcome("install-3", &spec).await);
    assert_eq!(lines(&place.path("root/starts")), 1);
}

#[tokio::test]
async fn an_installer_that_runs_is_not_touched() {
    let place = Place::new();
    let wait = "while [ ! -e \"$ROOT/go\" ]; do sleep 0.05; done";
    let package = place.package(&format!("echo x >> \"$ROOT/starts\"; echo waiting; {wait}"));
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    let mut events = driver.open("install", &spec, 1).await.unwrap();
    until_output(&mut events, "waiting").await;
    driver.set_halt("autumn", 1, true).await.unwrap();
    agent.kill();
    // The halt does not keep a restarted agent from going on with it, either.
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    let mut events = driver.open("install", &spec, 1).await.unwrap();
    until_output(&mut events, "waiting").await;
    fs::write(place.path("root/go"), "").unwrap();
    assert_eq!(installed(driver.outcome("install", &spec).await).exit, Exit::Code(0));
    assert_eq!(lines(&place.path("root/starts")), 1);
}

/// The order was admitted before the halt came: the op runner looks again at the last moment.
#[tokio::test]
async fn the_op_runner_looks_again() {
    let place = Place::new();
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    installed(driver.outcome("install", &spec).await);
    // Orders that nobody has begun: as they are between an admission and its op runner.
    let order = fs::read_to_string(place.path("state/steps/install/spec.json")).unwrap();
    for step in ["late", "later"] {
        let dir = place.path(&format!("state/steps/{step}"));
        fs::create_dir(&dir).unwrap();
        fs::write(
            dir.join("spec.json"),
            order.replace("\"step\": \"install\"", &format!("\"step\": \"{step}\"")),
        )
        .unwrap();
    }
    driver.set_halt("fleet", 1, true).await.unwrap();
    ratchet_agent(&place, &["run-op", "late"]);
    let result = fs::read_to_string(place.path("state/steps/late/result.json")).unwrap();
    assert!(result.contains("\"halted\""), "{result}");
    fs::write(place.path("state/halts.json"), "{").unwrap();
    ratchet_agent(&place, &["run-op", "later"]);
    let result = fs::read_to_string(place.path("state/steps/later/result.json")).unwrap();
    assert!(result.contains("\"halted\"") && result.contains("halts.json"), "{result}");
    assert_eq!(lines(&place.path("root/starts")), 1);
    assert!(ratchet_agent(&place, &["status"]).contains("HALTED: its halts cannot be read"));
}
