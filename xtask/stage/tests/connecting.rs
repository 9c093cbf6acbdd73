//! A cluster whose agents listen nowhere and only dial out, and the halt of the fleet (promises P6, P7).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::process::Command;

use common::service::Service;
use common::{Said, Set, TO, install_of, installs, order, set, small, versions, with_faults};
use sim::built_binary;
use stage::{Stage, StageSpec};

const HANGS: &str = "on install of master nth 1: hang at files";
const UPGRADE: [&str; 5] = ["upgrade", "orders", "--to", TO, "--yes"];

/// A small cluster whose agents only dial out.
fn dialling(rules: &[&str], faults: &str) -> StageSpec {
    let connecting = Some(rules.iter().map(ToString::to_string).collect());
    StageSpec { connecting, ..with_faults(small(), faults) }
}

/// The stage, a coordinator that serves, and agents that dial it.
async fn served(spec: StageSpec) -> (Set, Service) {
    let mut stage = set(spec).await;
    let service = Service::start(&stage, "served");
    stage.agents_dial(std::slice::from_ref(&service.address)).unwrap();
    (stage, service)
}

/// Whether so many nodes of the cluster are seen, all of them well.
fn sees(nodes: usize) -> impl Fn(&Said) -> bool {
    move |said| {
        said.code == 0 && {
            let cluster = said.json()["clusters"][0].clone();
            cluster["healthy"] == true && cluster["nodes"].as_array().unwrap().len() == nodes
        }
    }
}

/// Begins an upgrade whose first installer hangs, and waits until it does.
async fn in_the_first_install(stage: &Stage, service: &Service) -> String {
    service.until(stage, &["status"], sees(3));
    let master = stage.cluster.master().unwrap();
    let begun = service.ask(stage, &[&UPGRADE[..], &["--detach"]].concat());
    assert_eq!(begun.code, 0, "{begun:?}");
    install_of(stage, master).await;
    begun.json()["id"].as_str().unwrap().to_owned()
}

/// The role may have moved on from its node by now.
async fn the_installer_goes_on(stage: &Stage) {
    let node = order(stage)[0];
    stage.cluster.inject(&format!("now: node {node} installer goes on")).await.unwrap();
}

/// What an agent says of itself without a coordinator.
fn offline_status(stage: &Stage, uid: u32) -> String {
    let mut command = Command::new(built_binary("agent", "ratchet-agent").unwrap());
    command.arg("--config").arg(stage.dir.join(format!("agent{uid}.toml"))).arg("status");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_only_dials_out_is_upgraded_although_its_coordinator_is_killed() {
    let spec = StageSpec { mutual_tls: true, ..dialling(&["orders-*"], HANGS) };
    let (stage, service) = served(spec).await;
    let run = in_the_first_install(&stage, &service).await;
    assert!(stage.nodes().all(|uid| stage.agent_address(uid).is_none()), "nobody listens");
    let address = service.address.clone();
    drop(service);
    // What was begun goes on without a connection, and ends while nobody is there to be told.
    let master = order(&stage)[0];
    the_installer_goes_on(&stage).await;
    let patience = std::time::Duration::from_secs(30);
    let done = stage.cluster.wait_until(patience, |model| {
        model.installs.iter().any(|install| install.uid == master && install.ended.is_some())
    });
    assert!(done.await, "the installer has not ended");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "without a coordinator nothing is begun");
    let again = Service::start_at(&stage, "again", &address);
    let ended = again.ask(&stage, &["wait", &run]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(stage.cluster.overlaps(), [], "P1");
    assert_eq!(versions(&stage), [TO; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_assigned_by_hand_and_a_cluster_that_lacks_one_is_not_upgraded() {
    let (stage, service) = served(dialling(&[], "")).await;
    let strays = |said: &Said| said.json()["unassigned"].as_array().map_or(0, Vec::len);
    let unassigned = service.until(&stage, &["inventory"], |said| strays(said) == 3);
    assert_eq!(unassigned.json()["unassigned"][0]["agent"], "orders-1", "{unassigned:?}");
    let none = service.ask(&stage, &UPGRADE);
    assert!([3, 6].contains(&none.code), "no agent, no upgrade: {none:?}");

    for uid in [1, 2] {
        let assigned = service.ask(&stage, &["assign", &stage.agent_name(uid), "orders"]);
        assert_eq!((assigned.code, &assigned.json()["changed"]), (0, &true.into()), "{assigned:?}");
    }
    let lacking = service.ask(&stage, &UPGRADE);
    assert_eq!(lacking.code, 3, "a node without an agent: {lacking:?}");
    assert_eq!(installs(&stage), [0; 3]);

    let name = stage.agent_name(3);
    assert_eq!(service.ask(&stage, &["assign", &name, "orders"]).json()["changed"], true);
    assert_eq!(service.ask(&stage, &["assign", &name, "orders"]).json()["changed"], false);
    service.until(&stage, &["status"], sees(3));
    let upgraded = service.ask(&stage, &UPGRADE);
    assert_eq!(upgraded.code, 0, "{upgraded:?}");
    assert_eq!((installs(&stage), versions(&stage)), (vec![1; 3], vec![TO.to_owned(); 3]));
    let taken_out = service.ask(&stage, &["assign", &name, "--none"]).json();
    assert_eq!((&taken_out["was"], &taken_out["cluster"]), (&"orders".into(), &serde_json::Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_fleet_begins_no_installer_until_the_halt_is_lifted() {
    let (mut stage, service) = served(dialling(&["orders-*"], HANGS)).await;
    let run = in_the_first_install(&stage, &service).await;
    let master = order(&stage)[0];
    let halted = service.ask(&stage, &["halt", "--why", "the network is being moved"]);
    assert_eq!((halted.code, &halted.json()["told"]), (0, &3.into()), "{halted:?}");
    assert_eq!(halted.json()["runs"][0]["run"], run.as_str(), "{halted:?}");

    // Neither the agents nor the coordinator forget it.
    let address = service.address.clone();
    drop(service);
    for uid in stage.nodes() {
        stage.kill_agent(uid).unwrap();
        let said = offline_status(&stage, uid);
        assert!(said.contains("the network is being moved"), "node {uid}: {said}");
        stage.start_agent(uid).unwrap();
    }
    let service = Service::start_at(&stage, "again", &address);
    the_installer_goes_on(&stage).await;
    let paused = service.ask(&stage, &["wait", &run]);
    assert_eq!(paused.code, 5, "the turn at work is ended, then the run pauses: {paused:?}");
    assert_eq!(stage.cluster.installs(master).len(), 1);
    let said = service.ask(&stage, &["resume", &run]);
    assert_eq!((said.code, &said.json()["error"]["id"]), (3, &"halted".into()), "{said:?}");
    assert_eq!(service.ask(&stage, &UPGRADE).code, 5, "the same request is the same run, which is paused");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "nothing begins while the fleet is halted");

    // One that cannot be told is told as soon as it is back; until then the run waits for it.
    let last = stage.nodes().find(|uid| *uid != master).unwrap();
    stage.kill_agent(last).unwrap();
    let lifted = service.until(&stage, &["halt", "--lift"], |said| said.code == 6);
    assert_eq!(lifted.json()["untold"][0]["agent"], format!("@{}", stage.agent_name(last)), "{lifted:?}");
    assert!(lifted.json()["runs"][0]["command"].as_str().unwrap().contains("ratchet resume"), "{lifted:?}");
    stage.start_agent(last).unwrap();
    let resumed = service.ask(&stage, &["resume", &run]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(versions(&stage), [TO; 3]);
    assert!(!offline_status(&stage, last).contains("the network is being moved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_hold_a_halt_that_the_coordinator_has_lost() {
    let (stage, service) = served(dialling(&["orders-*"], "")).await;
    service.until(&stage, &["status"], sees(3));
    assert_eq!(service.ask(&stage, &["halt", "--why", "the network is being moved"]).code, 0);
    let address = service.address.clone();
    drop(service);
    for entry in std::fs::read_dir(&stage.dir).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("ratchet.db") {
            let path = entry.path();
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        }
    }
    let service = Service::start_at(&stage, "again", &address);
    service.until(&stage, &["status"], sees(3));
    let begun = service.ask(&stage, &[&UPGRADE[..], &["--detach"]].concat());
    assert_eq!(begun.code, 0, "{begun:?}");
    let run = begun.json()["id"].as_str().unwrap().to_owned();
    let ended = service.ask(&stage, &["wait", &run]);
    assert_eq!(ended.code, 4, "the gate stays shut: {ended:?}");
    assert_eq!(installs(&stage), [0; 3]);
    let why = service.ask(&stage, &["why", &run]);
    assert!(
        why.out.contains("the network is being moved") && why.out.contains("ratchet halt --lift"),
        "{why:?}"
    );

    // The new store counts from the beginning: a halt of its own is what lifts the forgotten one.
    assert_eq!(service.ask(&stage, &["halt", "--why", "to be lifted"]).code, 0);
    assert_eq!(service.ask(&stage, &["halt", "--lift"]).code, 0);
    let retried = service.ask(&stage, &["retry", &run]);
    assert_eq!((retried.code, installs(&stage)), (0, vec![1; 3]), "{retried:?}");
}
