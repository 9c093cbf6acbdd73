//! Everything that is refused before anything changes: exit 3, with the node, the cause and the remedy.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::process::Command;

use common::{FROM, Said, TO, installs, quick, ratchet, set, small, upgrade, v, versions};
use proto::Sha256;
use serde_json::Value;
use sim::{ClusterSpec, PackageSpec};
use stage::{Stage, StageSpec};

/// Whatever was wrong, nothing has changed, and somebody is told what to do.
fn refused(stage: &Stage, said: &Said, check: &str, names: &str) {
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(installs(stage), vec![0; stage.nodes().count()], "{said:?}");
    assert!(versions(stage).iter().all(|version| version == FROM), "{said:?}");
    let findings = findings(said);
    let blocking: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["verdict"] == "block" || finding["verdict"] == "cannot_tell")
        .collect();
    let named = |finding: &&&Value| finding["check"] == check && finding.to_string().contains(names);
    assert!(
        blocking.iter().any(|finding| named(&finding)),
        "`{names}` is not named by `{check}`: {blocking:#?}"
    );
    for finding in blocking {
        assert!(finding["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{finding:#}");
        assert!(finding["why"].as_str().is_some_and(|why| !why.is_empty()), "{finding:#}");
    }
}

fn findings(said: &Said) -> Vec<Value> {
    let document = said.json();
    document["findings"].as_array().unwrap_or_else(|| panic!("{document:#}")).clone()
}

async fn refused_after(fault: &str, check: &str, names: &str) {
    let stage = set(small()).await;
    stage.cluster.inject(fault).await.unwrap();
    refused_now(&stage, check, names);
}

/// The plan says the same, and so does the check: one judgement, three doors.
fn refused_now(stage: &Stage, check: &str, names: &str) {
    refused(stage, &upgrade(stage), check, names);
    let plan = ratchet(stage, &["-o", "json", "plan", "orders", "--to", TO]);
    refused(stage, &plan, check, names);
    assert_eq!(ratchet(stage, &["check", "orders", "--to", TO]).code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_down() {
    refused_after("now: node 2 shard down", "health", "redis:").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_loading_or_syncing() {
    refused_after("now: node 3 shard loading", "health", "redis:").await;
    refused_after("now: node 3 shard syncing", "health", "redis:").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_down() {
    let stage = set(small()).await;
    stage.cluster.inject("now: node 3 down").await.unwrap();
    // The others notice it only after the time that the cluster takes to miss a node.
    let rladmin = stage.cluster.root(1).join("opt/redislabs/bin/rladmin");
    let nodes = || Command::new(&rladmin).args(["status", "nodes"]).output().unwrap().stdout;
    while !String::from_utf8_lossy(&nodes()).contains("DOWN") {}
    refused_now(&stage, "health", "node:3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_in_maintenance() {
    refused_after("now: node 2 maintenance on", "maintenance", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_left_over_snapshot() {
    refused_after("now: node 2 snapshot", "maintenance", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_running() {
    refused_after("now: task backup", "actions", "backup").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rlcheck_that_fails() {
    refused_after("now: node 2 rlcheck fails verify_services", "rlcheck", "verify_services").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rladmin_that_says_nothing_of_use() {
    for fault in ["now: node 2 rladmin garbage", "now: node 2 rladmin empty", "now: node 2 rladmin exits 1"] {
        let stage = set(small()).await;
        stage.cluster.inject(fault).await.unwrap();
        let said = upgrade(&stage);
        assert_eq!(said.code, 3, "{fault}: {said:?}");
        assert_eq!(installs(&stage), [0; 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_an_agent() {
    let stage = set(small()).await;
    let agents: Vec<String> =
        [1, 2].iter().map(|uid| stage.agent_address(*uid).unwrap().to_string()).collect();
    stage.write_configuration_with(&agents, stage.digests()).unwrap();
    refused(&stage, &upgrade(&stage), "membership", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_answer() {
    let mut stage = set(small()).await;
    stage.kill_agent(3).unwrap();
    let address = stage.agent_address(3).unwrap().to_string();
    refused(&stage, &upgrade(&stage), "membership", &address);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_another_cluster() {
    let stage = set(small()).await;
    let other = set(small()).await;
    let mut agents: Vec<String> =
        [1, 2].iter().map(|uid| stage.agent_address(*uid).unwrap().to_string()).collect();
    agents.push(other.agent_address(3).unwrap().to_string());
    stage.write_configuration_with(&agents, stage.digests()).unwrap();
    refused(&stage, &upgrade(&stage), "one-cluster", &agents[2]);
    assert_eq!(installs(&other), [0; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_for_another_system() {
    let mut spec = small();
    spec.packages = vec![PackageSpec { os: "rhel9".to_owned(), ..PackageSpec::new(v(TO)) }];
    let stage = set(spec).await;
    refused(&stage, &upgrade(&stage), "package", "jammy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_not_there() {
    let stage = set(small()).await;
    std::fs::remove_dir_all(stage.dir.join("mirror")).unwrap();
    refused(&stage, &upgrade(&stage), "package", TO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_digest_stops_before_any_install_and_leaves_nothing_under_the_final_name() {
    let stage = set(small()).await;
    let wrong = [(v(TO), Sha256::of(b"other bytes"))].into();
    let agents: Vec<String> =
        stage.nodes().map(|uid| stage.agent_address(uid).unwrap().to_string()).collect();
    stage.write_configuration_with(&agents, &wrong).unwrap();
    let said = upgrade(&stage);
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(installs(&stage), [0; 3]);
    let run = said.last_json();
    let error = &run["halt"]["error"];
    assert_eq!(
        (run["state"].as_str(), error["id"].as_str()),
        (Some("blocked"), Some("digest-mismatch")),
        "{run:#}"
    );
    assert!(
        error["message"].as_str().unwrap().starts_with("node:") && error["remedy"].is_string(),
        "{error:#}"
    );
    let status = ratchet(&stage, &["-o", "json", "status"]).json();
    for node in status["clusters"][0]["nodes"].as_array().unwrap() {
        assert_eq!(node["packages"].as_array().unwrap().len(), 0, "{node}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forbidden_install_arguments() {
    for (args, named) in [
        (vec!["-y", "--install-dir", "/redis"], "--install-dir"),
        (vec!["-y", "--os-user=redis"], "--os-user"),
        (vec!["-s", "/redis"], "-s"),
    ] {
        let mut spec = small();
        spec.install_args = args.iter().map(ToString::to_string).collect();
        let stage = set(spec).await;
        refused(&stage, &upgrade(&stage), "install-args", named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsupported_path() {
    let cluster = quick(ClusterSpec::modelled(3, v(FROM)));
    let stage = set(StageSpec::new(cluster, &[v("7.2.4-92"), v("8.0.22-1")])).await;
    for target in ["7.2.4-92", "8.0.22-1", "9.9.9-9"] {
        let said = ratchet(&stage, &["-o", "json", "upgrade", "orders", "--to", target, "--yes"]);
        refused(&stage, &said, "path", target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_drivers_of_one_cluster() {
    let stage = set(common::with_faults(small(), "on install of any nth 1: takes 3000 ms")).await;
    let mut first = common::spawn(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    common::install_of(&stage, stage.cluster.master().unwrap_or(1)).await;
    // The same request twice is the same run: the second command follows it, and drives nothing.
    let second = upgrade(&stage);
    assert_eq!(second.code, 0, "{second:?}");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(second.out.matches("\"kind\":\"driving\"").count(), 1, "P8: {second:?}");
    assert_eq!(installs(&stage), [1; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_too_full() {
    let stage = set(small()).await;
    let config = std::fs::read_to_string(stage.configuration()).unwrap();
    // An archive of eight pebibytes fits nowhere.
    std::fs::write(stage.configuration(), format!("{config}size = 9007199254740992\n")).unwrap();
    refused(&stage, &upgrade(&stage), "disk", "node");
}
