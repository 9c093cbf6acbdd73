//! Power loss: what an agent has told is on its disk, and an install that was cut off is never started a second time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::time::Duration;

use anyhow::Result;
use lab::{Driver, Lab, LabSpec, sealed};
use serde_json::Value;
use sim::model::Model;

const FROM: &str = "7.4.2-54";
const TO: &str = "7.22.0-95";
const PATIENCE: Duration = Duration::from_secs(60);

async fn until(lab: &Lab, wanted: impl Fn(&Model) -> bool) {
    assert!(lab.cluster.wait_until(PATIENCE, wanted).await, "{:?}", lab.cluster.snapshot());
}

/// The files of the only install step of a node's agent.
fn install_step(lab: &Lab, uid: u32) -> std::path::PathBuf {
    let steps = fs::read_dir(lab.agent_state(uid).unwrap().join("steps")).unwrap();
    let is_install = |path: &std::path::PathBuf| path.to_string_lossy().contains(".install.");
    let mut found = steps.map(|entry| entry.unwrap().path()).filter(is_install);
    let step = found.next().unwrap();
    assert_eq!(found.next(), None);
    step
}

fn at_the_end(driver: &mut Driver) -> Value {
    driver.end().unwrap();
    driver.run().unwrap().clone()
}

#[test]
fn an_install_that_lost_its_power_is_interrupted_and_the_next_command_is_named() -> Result<()> {
    let test = "an_install_that_lost_its_power_is_interrupted_and_the_next_command_is_named";
    sealed(test, async |place| {
        let mut spec = LabSpec::new(FROM.parse()?, &[TO.parse()?]);
        spec.deadlines.insert("confirm".to_owned(), "3s".to_owned());
        spec.cluster.faults = "on install of node 1 nth 1: hang at files".to_owned();
        let mut lab = Lab::boot(place, &spec).await?;
        let mut driver = lab.drive(&["upgrade", "orders", "--to", TO, "--yes"])?;
        until(&lab, |model| model.installs.len() == 1 && !model.nodes[&1].is_up()).await;
        lab.power_cut(1)?;
        let step = install_step(&lab, 1);
        assert!(
            step.join("spec.json").exists() && step.join("started.json").exists(),
            "whoever comes back knows"
        );
        assert!(!step.join("result.json").exists());
        lab.power_on(1)?;

        let run = at_the_end(&mut driver);
        assert_eq!(run["state"], "halted", "{run:#}");
        let id = run["id"].as_str().unwrap();
        let shown = lab.ratchet(&["show", id, "--events"])?.json()?;
        let events = shown["events"].as_array().unwrap();
        let cut_off = |event: &&Value| event["text"].as_str().unwrap().starts_with("install was cut off");
        assert_eq!(events.iter().filter(cut_off).count(), 1, "{events:#?}");
        let why = lab.ratchet(&["why", "orders"])?.json()?;
        assert_eq!(why["verdict"], "halted", "{why:#}");
        assert!(why["commands"].to_string().contains(&format!("ratchet retry {id}")), "{why:#}");
        assert!(why["waits_for"].as_str().is_some_and(|cause| cause.contains(TO)), "{why:#}");
        assert_eq!(lab.cluster.installs(1).len(), 1, "nobody starts it again by himself");

        // Only a person's word does.
        let mut driver = lab.drive(&["retry", id])?;
        let run = at_the_end(&mut driver);
        assert_eq!(run["state"], "done", "{run:#}");
        let starts: Vec<usize> = lab.uids().map(|uid| lab.cluster.installs(uid).len()).collect();
        assert_eq!((starts, lab.cluster.overlaps()), (vec![2, 1, 1], vec![]));
        Ok(())
    })
}

/// An install's own end must be as durable as what is told about it.
#[test]
fn an_install_that_ended_just_before_the_power_went_has_ended() -> Result<()> {
    sealed("an_install_that_ended_just_before_the_power_went_has_ended", async |place| {
        let mut spec = LabSpec::new(FROM.parse()?, &[TO.parse()?]);
        spec.cluster.faults = "after install of node 1 nth 1: rlcheck hangs".to_owned();
        let mut lab = Lab::boot(place, &spec).await?;
        let mut driver = lab.drive(&["upgrade", "orders", "--to", TO, "--yes"])?;
        // The confirmation has begun: the install's end was told.
        until(&lab, |model| model.nodes[&1].hanging > 0).await;
        lab.power_cut(1)?;
        let result = fs::read_to_string(install_step(&lab, 1).join("result.json"))?;
        let events = fs::read_to_string(install_step(&lab, 1).join("events"))?;
        assert!(events.contains("finished"), "{result} {events}");
        lab.cluster.inject("now: node 1 rlcheck honest").await?;
        lab.power_on(1)?;
        assert_eq!(at_the_end(&mut driver)["state"], "done");
        let starts: Vec<usize> = lab.uids().map(|uid| lab.cluster.installs(uid).len()).collect();
        assert_eq!((starts, lab.cluster.overlaps()), (vec![1, 1, 1], vec![]));
        Ok(())
    })
}
