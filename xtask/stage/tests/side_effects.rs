//! Settings that a run changes are put back on every way out (promise P13), and what goes wrong elsewhere while a step
//! runs is seen and stops the next install (promise P4).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::process::Command;

use common::{TO, install_of, installs, only_run, ratchet, set, small, spawn, versions, with_faults};
use serde_json::Value;
use stage::{Stage, StageSpec};

/// A run that raises the grace period for its time.
fn tuned(faults: &str) -> StageSpec {
    let settings = "replica_ha_grace_period = \"1h\"\n".to_owned();
    StageSpec { settings, confirm: "3s".to_owned(), ..with_faults(small(), faults) }
}

/// What the cluster itself says.
fn grace_period(stage: &Stage) -> String {
    let rladmin = stage.cluster.root(1).join("opt/redislabs/bin/rladmin");
    let said = Command::new(rladmin).args(["info", "cluster"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let line = said.lines().find_map(|line| line.trim().strip_prefix("slave_ha_grace_period:"));
    line.unwrap_or_else(|| panic!("{said}")).trim().to_owned()
}

fn events(stage: &Stage, run: &str, kind: &str) -> Vec<Value> {
    let shown = ratchet(stage, &["-o", "json", "show", run, "--events"]).json();
    let events = shown["events"].as_array().unwrap().clone();
    events.into_iter().filter(|event| event["kind"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_changed_for_the_run_only() {
    let stage = set(tuned("on install of master nth 1: hang at files")).await;
    let master = stage.cluster.master().unwrap();
    assert_eq!(grace_period(&stage), "600");
    let upgrade = spawn(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    install_of(&stage, master).await;
    assert_eq!(grace_period(&stage), "3600");
    stage.cluster.inject(&format!("now: node {master} installer goes on")).await.unwrap();
    assert_eq!(upgrade.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(grace_period(&stage), "600");
    let run = only_run(&stage);
    assert_eq!(events(&stage, &run, "setting_recorded").len(), 1);
    assert_eq!(events(&stage, &run, "setting_restored").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_after_a_crash_puts_it_back() {
    let stage = set(tuned("on install of master nth 1: abort exit 1")).await;
    assert_eq!(common::upgrade(&stage).code, 4);
    assert_eq!(grace_period(&stage), "3600", "a halted run may go on");
    let run = only_run(&stage);
    let shown = ratchet(&stage, &["show", &run]);
    assert!(shown.out.contains("slave_ha_grace_period"), "what is to be put back is shown: {}", shown.out);
    let aborted = ratchet(&stage, &["abort", &run]);
    assert_eq!(aborted.code, 0, "{aborted:?}");
    assert_eq!(grace_period(&stage), "600");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_that_nobody_asked_for() {
    let stage = set(with_faults(small(), "")).await;
    assert_eq!(common::upgrade(&stage).code, 0);
    assert!(events(&stage, &only_run(&stage), "setting_recorded").is_empty());
    assert!(events(&stage, &only_run(&stage), "breached").is_empty(), "a usual upgrade alarms nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_falls_ill_during_another_s_install_is_seen_and_stops_the_next_one() {
    let stage = set(StageSpec {
        gate: "3s".to_owned(),
        ..with_faults(small(), "on install of master nth 1: hang at files")
    })
    .await;
    let master = stage.cluster.master().unwrap();
    let upgrade = spawn(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    install_of(&stage, master).await;
    let ill = stage.nodes().find(|uid| *uid != master).unwrap();
    stage.cluster.inject(&format!("now: node {ill} shard loading")).await.unwrap();
    let run = only_run(&stage);
    let mut seen = Vec::new();
    for _ in 0..200 {
        seen = events(&stage, &run, "breached");
        if !seen.is_empty() {
            break;
        }
    }
    assert!(!seen.is_empty(), "the watch has not seen it");
    assert!(seen[0].to_string().contains(&format!("node:{ill}")), "{:#}", seen[0]);
    stage.cluster.inject(&format!("now: node {master} installer goes on")).await.unwrap();
    let ended = upgrade.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "no install follows a breach");
    stage.cluster.inject(&format!("now: node {ill} shard ok")).await.unwrap();
    assert_eq!(ratchet(&stage, &["resume", &run]).code, 0);
    assert_eq!(versions(&stage), [TO; 3]);
    assert_eq!(installs(&stage), [1; 3]);
}
