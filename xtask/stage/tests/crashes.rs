//! `kill -9` in the middle: nothing is lost, nothing is done twice (promises P6, P7, P8).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::process::Command;

use common::{TO, install_of, installs, only_run, ratchet, set, small, spawn, versions, with_faults};
use stage::Stage;

const SLOW: &str = "on install of master nth 1: takes 2500 ms";

async fn in_the_middle_of_the_first_install(stage: &Stage) -> std::process::Child {
    let master = stage.cluster.master().unwrap();
    let child = spawn(stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    install_of(stage, master).await;
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_is_killed_during_an_install_and_resumed() {
    let stage = set(with_faults(small(), SLOW)).await;
    let mut ratchet_process = in_the_middle_of_the_first_install(&stage).await;
    ratchet_process.kill().unwrap();
    ratchet_process.wait().unwrap();
    let run = only_run(&stage);
    let state = ratchet(&stage, &["-o", "json", "show", &run]).json();
    assert_eq!(state["state"], "interrupted", "{state:#}");
    let why = ratchet(&stage, &["-o", "json", "why", "orders"]).json();
    assert!(why["commands"].to_string().contains(&format!("ratchet resume {run}")), "{why:#}");
    let resumed = ratchet(&stage, &["-o", "json", "resume", &run]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(versions(&stage), [TO; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_killed_during_an_install_and_comes_back() {
    let mut stage = set(with_faults(small(), SLOW)).await;
    let master = stage.cluster.master().unwrap();
    let child = in_the_middle_of_the_first_install(&stage).await;
    stage.kill_agent(master).unwrap();
    stage.start_agent(master).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(versions(&stage), [TO; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_are_killed_during_an_install() {
    let mut stage = set(with_faults(small(), SLOW)).await;
    let master = stage.cluster.master().unwrap();
    let mut child = in_the_middle_of_the_first_install(&stage).await;
    child.kill().unwrap();
    child.wait().unwrap();
    stage.kill_agent(master).unwrap();
    stage.start_agent(master).unwrap();
    let resumed = ratchet(&stage, &["-o", "json", "resume", &only_run(&stage)]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(installs(&stage), [1; 3], "P6");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_installer_s_node_goes_away_and_its_installer_with_it() {
    let mut spec = with_faults(small(), "on install of master nth 1: reboot back 300 ms");
    spec.confirm = "3s".to_owned();
    let stage = set(spec).await;
    let said = common::upgrade(&stage);
    // Old or new files: whatever the node shows decides, and nobody installs blindly again.
    assert!(said.code == 0 || said.code == 4, "{said:?}");
    assert!(installs(&stage).iter().all(|count| *count <= 1), "P6: {:?}", installs(&stage));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_pauses_after_the_turn_and_says_how_to_go_on() {
    let stage = set(with_faults(small(), SLOW)).await;
    let child = in_the_middle_of_the_first_install(&stage).await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.status.code(), Some(5), "{said}");
    let run = only_run(&stage);
    assert!(said.contains(&format!("ratchet resume {run}")), "{said}");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "the turn was finished, the next not begun");
    let shown = ratchet(&stage, &["-o", "json", "show", &run]).json();
    assert_eq!(shown["state"], "paused", "{shown:#}");
    assert_eq!(ratchet(&stage, &["resume", &run]).code, 0);
    assert_eq!(installs(&stage), [1; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_terminal_pauses_and_aborts() {
    let stage = set(with_faults(small(), SLOW)).await;
    let mut child = in_the_middle_of_the_first_install(&stage).await;
    let run = only_run(&stage);
    assert_eq!(ratchet(&stage, &["pause", &run]).code, 0);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1);
    assert_eq!(ratchet(&stage, &["abort", &run]).code, 0);
    let shown = ratchet(&stage, &["-o", "json", "show", &run]).json();
    assert_eq!(shown["state"], "aborted", "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_late_in_a_long_install_gets_its_time_to_come_back() {
    let mut spec = with_faults(small(), "on install of master nth 1: hang at files");
    spec.reach = "2s".to_owned();
    let mut stage = set(spec).await;
    let master = stage.cluster.master().unwrap();
    let child = in_the_middle_of_the_first_install(&stage).await;
    let run = only_run(&stage);
    let at_work_for = |run: &str| {
        let shown = ratchet(&stage, &["-o", "json", "show", run]).json();
        let node = &shown["nodes"].as_array().unwrap()[master as usize - 1];
        let since: jiff::Timestamp = node["step"]["since"].as_str().unwrap().parse().unwrap();
        jiff::Timestamp::now().duration_since(since)
    };
    // Longer than an agent may be out of reach.
    while at_work_for(&run) < jiff::SignedDuration::from_secs(3) {}
    stage.kill_agent(master).unwrap();
    stage.start_agent(master).unwrap();
    stage.cluster.inject(&format!("now: node {master} installer goes on")).await.unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(installs(&stage), [1; 3], "P6");
}
