//! Installers and nodes that fail, and what a run makes of them (promises P1, P2, P6, P9).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use common::{
    FROM, Said, TO, installs, only_run, order, ratchet, set, small, upgrade, versions, with_faults,
};
use serde_json::Value;
use stage::StageSpec;

/// Little patience: these nodes do not come back.
fn impatient(faults: &str) -> StageSpec {
    let mut spec = with_faults(small(), faults);
    spec.confirm = "3s".to_owned();
    spec.gate = "3s".to_owned();
    spec
}

fn halted(said: &Said) -> Value {
    assert_eq!(said.code, 4, "{said:?}");
    let run = said.last_json();
    assert_eq!(run["state"], "halted", "{run:#}");
    let halt = &run["halt"];
    assert!(halt["error"]["remedy"].is_string() && halt["error"]["cause"].is_string(), "{halt:#}");
    assert!(!run["next_commands"].as_array().unwrap().is_empty(), "P12: {run:#}");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_aborts_and_returns_zero_is_a_failed_turn() {
    let stage = set(impatient("on install of master nth 1: abort exit 0")).await;
    let master = stage.cluster.master().unwrap();
    let run = halted(&upgrade(&stage));
    assert_eq!(run["halt"]["node"], master);
    assert_eq!(versions(&stage), [FROM; 3]);
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "the others stay untouched");
    let id = only_run(&stage);
    let resumed = ratchet(&stage, &["-o", "json", "resume", &id]);
    assert_eq!(resumed.code, 4, "{resumed:?}");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "P6: resuming never installs again");
    let retried = ratchet(&stage, &["-o", "json", "retry", &id]);
    assert_eq!(retried.code, 0, "{retried:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    assert_eq!(installs(&stage).iter().sum::<usize>(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_returns_one_but_leaves_a_healthy_node_is_a_warning() {
    let stage = set(with_faults(small(), "on install of node 2: exit 1")).await;
    let said = upgrade(&stage);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    let run = said.last_json();
    let node = run["nodes"].as_array().unwrap().iter().find(|node| node["uid"] == 2).unwrap();
    // `install.sh` returns the status of `tee`, so the warning depends on what the run saw of the exit.
    let evidence = format!("{}", node["warnings"]);
    assert!(evidence.contains("exit status 1"), "{node:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_at_the_wrong_version_halts_the_run() {
    let stage = set(impatient("on install of master nth 1: version 7.8.2-34")).await;
    let run = halted(&upgrade(&stage));
    assert!(run["halt"].to_string().contains("7.8.2-34"), "{run:#}");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_stays_down_halts_the_run() {
    let stage = set(impatient("after install of master nth 1: shard down")).await;
    let run = halted(&upgrade(&stage));
    assert!(run["halt"].to_string().contains("redis:"), "{run:#}");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "the others stay untouched");
    stage.cluster.inject("now: node 1 shard ok\nnow: node 2 shard ok\nnow: node 3 shard ok").await.unwrap();
    let resumed = ratchet(&stage, &["-o", "json", "resume", &only_run(&stage)]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(installs(&stage), [1; 3], "the repaired node is confirmed, not installed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_done_installation_halts_and_can_be_aborted() {
    let stage = set(impatient("on install of master nth 1: killed at start")).await;
    halted(&upgrade(&stage));
    let id = only_run(&stage);
    let aborted = ratchet(&stage, &["-o", "json", "abort", &id]);
    assert_eq!(aborted.code, 0, "{aborted:?}");
    let shown = ratchet(&stage, &["-o", "json", "watch", &id]).last_json();
    assert_eq!(shown["run"]["state"].as_str().or(shown["state"].as_str()), Some("aborted"), "{shown:#}");
    let status = ratchet(&stage, &["-o", "json", "status"]).json();
    for node in status["clusters"][0]["nodes"].as_array().unwrap() {
        assert!(node["claim"].is_null(), "P13: {node}\n{}", ratchet(&stage, &["show", &id, "--events"]).out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_installer_is_killed_at_its_deadline() {
    let mut spec = impatient("on install of master nth 1: hang");
    spec.install = "2s".to_owned();
    let stage = set(spec).await;
    let run = halted(&upgrade(&stage));
    assert!(run["halt"].to_string().contains("deadline"), "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_moves_makes_its_new_node_next() {
    let stage = set(with_faults(small(), "after install of node 1: master to node 3")).await;
    assert_eq!(stage.cluster.master(), Some(1));
    let said = upgrade(&stage);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(order(&stage), [1, 3, 2], "P2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_check_on_one_node_does_not_hide_what_the_others_see() {
    let stage =
        set(impatient("on install of master nth 1: services stay down\nnow: node 1 rlcheck passes")).await;
    halted(&upgrade(&stage));
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_could_not_be_given_back_is_no_dead_end() {
    let mut stage = set(impatient("on install of master nth 1: abort exit 0")).await;
    halted(&upgrade(&stage));
    let id = only_run(&stage);
    stage.kill_agent(3).unwrap();
    assert_eq!(ratchet(&stage, &["abort", &id]).code, 0);
    stage.start_agent(3).unwrap();
    let refused = upgrade(&stage);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.out.contains(&format!("ratchet abort {id}")), "P12: {refused:?}");
    assert_eq!(ratchet(&stage, &["abort", &id]).code, 0);
    let done = upgrade(&stage);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(versions(&stage), [TO; 3]);
}
