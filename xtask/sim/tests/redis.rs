//! Real shards: fail-over, planned takeover, what a client notices, and that no process is left.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{FROM, Lab, PATIENCE, TO};
use sim::model::{Happened, Role};
use sim::{ClusterSpec, DatabaseSpec, Meter};

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn processes(model: &sim::model::Model) -> Vec<u32> {
    let services = model.nodes.values().filter_map(|node| match node.services {
        sim::model::Services::Up { pid, .. } => Some(pid),
        sim::model::Services::Down { .. } => None,
    });
    services.chain(model.shards.values().filter_map(|shard| shard.pid)).collect()
}

async fn all_gone(pids: &[u32]) {
    let gone = async {
        while pids.iter().any(|pid| is_alive(*pid)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("processes are left");
}

#[tokio::test]
async fn a_rolling_upgrade_loses_no_acknowledged_write() {
    let lab = Lab::start(ClusterSpec::three_nodes(FROM)).await;
    let meter = Meter::start(&lab.cluster).unwrap();
    for uid in 1..=3 {
        let output = lab.install(uid, TO, &["-y"]);
        assert!(!common::text(&output).contains("[x]"), "{}", common::text(&output));
        lab.settle().await;
    }
    let report = meter.report();
    assert_eq!(report.databases.len(), 2);
    for database in &report.databases {
        assert!(database.acknowledged > 100, "{report:?}");
        assert!(database.read_back, "{report:?}");
        assert_eq!(database.lost, 0, "{report:?}");
    }
    let promoted = |event: &&sim::model::Event| matches!(event.what, Happened::Promoted { .. });
    assert!(lab.cluster.history().iter().filter(promoted).count() >= 2);
    assert!((1..=3).all(|uid| lab.cluster.version(uid).unwrap() == TO));
}

#[tokio::test]
async fn a_crash_promotes_the_replica_and_the_node_returns_as_replica() {
    let lab = Lab::start(ClusterSpec::three_nodes(FROM)).await;
    lab.inject("now: node 1 down").await;
    let moved = |model: &sim::model::Model| model.primary_of(1, 0).is_some_and(|shard| shard.node == 2);
    assert!(lab.cluster.wait_until(PATIENCE, moved).await);
    assert!(lab.cluster.wait_until(PATIENCE, |model| model.master == Some(2)).await);
    lab.inject("now: node 1 up").await;
    lab.settle().await;
    assert_eq!(lab.cluster.snapshot().shards[&1].role, Role::Replica);
    assert!(lab.rladmin(3, "status nodes").contains("node:1  slave"));
}

#[tokio::test]
async fn without_replication_the_database_is_down_with_its_node_and_keeps_its_data() {
    let spec =
        ClusterSpec { databases: vec![DatabaseSpec::single("lonely")], ..ClusterSpec::three_nodes(FROM) };
    let lab = Lab::start(spec).await;
    let meter = Meter::start(&lab.cluster).unwrap();
    lab.install(1, TO, &["-y"]);
    lab.settle().await;
    let report = meter.report();
    let database = &report.databases[0];
    assert!(database.failed > 0 && database.lost == 0 && database.read_back, "{report:?}");
    assert_eq!(database.longest_gap.during_install_of, Some(1), "{report:?}");
}

#[tokio::test]
async fn a_held_shard_is_down_until_it_is_released() {
    let lab = Lab::start(ClusterSpec::three_nodes(FROM)).await;
    lab.inject("now: node 2 shard down").await;
    let down =
        |model: &sim::model::Model| model.shards.values().any(|shard| shard.node == 2 && shard.pid.is_none());
    assert!(lab.cluster.wait_until(PATIENCE, down).await);
    assert!(lab.rladmin(1, "status shards").contains("DOWN"));
    lab.inject("now: node 2 shard ok").await;
    lab.settle().await;
}

#[tokio::test]
async fn stopping_a_cluster_leaves_no_process() {
    let lab = Lab::start(ClusterSpec::three_nodes(FROM)).await;
    let pids = processes(&lab.cluster.snapshot());
    assert_eq!(pids.len(), 3 + 4);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    lab.cluster.stop();
    assert!(!pids.iter().any(|pid| is_alive(*pid)), "stop waits for them");
}

#[tokio::test]
async fn a_killed_owner_leaves_no_process_either() {
    let dir = tempfile::tempdir().unwrap();
    let binary = sim::tool_binary().unwrap();
    let mut owner = Command::new(binary)
        .args(["up", "--version", "7.4.2-54", "--dir"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(owner.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("up;") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0, "it ended before it was up");
    }
    let sim::wire::Reply::Status(model) = sim::ask(dir.path(), &sim::wire::Request::Status).await.unwrap()
    else {
        panic!("no status");
    };
    let pids: Vec<u32> = model["shards"]
        .as_object()
        .unwrap()
        .values()
        .map(|shard| u32::try_from(shard["pid"].as_u64().unwrap()).unwrap())
        .chain(
            model["nodes"]
                .as_object()
                .unwrap()
                .values()
                .map(|node| u32::try_from(node["services"]["Up"]["pid"].as_u64().unwrap()).unwrap()),
        )
        .collect();
    assert_eq!(pids.len(), 7);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    owner.kill().unwrap();
    owner.wait().unwrap();
    all_gone(&pids).await;
}

#[tokio::test]
async fn a_long_directory_gets_a_short_socket() {
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("x".repeat(120));
    let cluster = sim::Cluster::start(&long, ClusterSpec::modelled(1, FROM)).await.unwrap();
    assert!(cluster.wait_until(Duration::from_secs(1), |model| model.nodes[&1].is_up()).await);
}
