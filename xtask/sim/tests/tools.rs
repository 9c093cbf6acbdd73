//! The tools as a node's scripts: shapes, versions, and failures.

mod common;

use common::{FROM, Lab, TO};
use proto::Version;
use sim::{ClusterSpec, DatabaseSpec};

/// The header of a section.
fn header<'a>(text: &'a str, title: &str) -> Vec<&'a str> {
    let mut lines = text.lines().skip_while(|line| *line != title);
    lines.nth(1).unwrap_or_else(|| panic!("no {title} in {text}")).split_whitespace().collect()
}

async fn at(version: Version) -> Lab {
    Lab::start(ClusterSpec::modelled(3, version)).await
}

#[tokio::test]
async fn the_full_status_has_the_documented_shape() {
    let lab = at(FROM).await;
    let text = lab.rladmin(3, "status extra all");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "CLUSTER:");
    assert!(lines[1].starts_with("OK. Cluster master: 1 (127."), "{text}");
    assert_eq!(lines[2], "Cluster health: OK, [0, 0.0, 0.0]");
    assert_eq!(
        header(&text, "CLUSTER NODES:").join(" "),
        "NODE:ID ROLE ADDRESS EXTERNAL_ADDRESS HOSTNAME MASTERS SLAVES OVERBOOKING_DEPTH SHARDS CORES FREE_RAM \
         PROVISIONAL_RAM VERSION SHA RACK-ID STATUS"
    );
    assert_eq!(header(&text, "ENDPOINTS:").last(), Some(&"WATCHDOG_STATUS"));
    assert!(header(&text, "SHARDS:").contains(&"BACKUP_PROGRESS"));
    assert!(text.contains("\n*node:3 slave") && text.contains("\nnode:1  master"), "{text}");
    let first_row = lines.iter().position(|line| line.starts_with("NODE:ID")).unwrap();
    let status = lines[first_row].find("STATUS").unwrap();
    assert!(
        lines[first_row + 1..first_row + 4].iter().all(|line| line[status..].trim_end() == "OK"),
        "{text}"
    );
    assert!(!lab.rladmin(1, "status").contains("CLUSTER:\n"), "the block belongs to extra all");
}

#[tokio::test]
async fn columns_differ_between_versions() {
    let old = at(Version::new(5, 4, 6, 18)).await.rladmin(1, "status extra all");
    assert!(header(&old, "CLUSTER NODES:").contains(&"AVAILABLE_RAM"));
    assert!(header(&old, "DATABASES:").contains(&"MODULE"));
    let new = at(Version::new(8, 2, 0, 25)).await.rladmin(1, "status extra all");
    assert!(!header(&new, "SHARDS:").contains(&"BACKUP_PROGRESS"));
    assert!(!header(&new, "DATABASES:").contains(&"MODULE"));
}

#[tokio::test]
async fn unknown_words_fail() {
    let lab = at(FROM).await;
    for (args, word) in
        [("certificates", "certificates"), ("status nodez", "nodez"), ("status extra wrong", "wrong")]
    {
        let args: Vec<&str> = args.split(' ').collect();
        let (text, code) = lab.tool(1, "rladmin", &args);
        assert_eq!((text, code), (format!("ERROR: invalid token '{word}'\n"), 1));
    }
    std::fs::remove_file(lab.cluster.root(1).join("etc/opt/redislabs/node.id")).unwrap();
    assert_eq!(lab.tool(1, "rladmin", &["status"]), ("ERROR: invalid token 'status'\n".to_owned(), 1));
}

#[tokio::test]
async fn without_services_everything_but_rlcheck_fails_and_rlcheck_says_so() {
    let lab = at(FROM).await;
    lab.inject("now: node 2 down").await;
    let (text, code) = lab.tool(2, "rladmin", &["status"]);
    assert!(text.starts_with("ERROR:") && code != 0, "{text}");
    assert_ne!(lab.tool(2, "supervisorctl", &["status"]).1, 0);
    let (text, code) = lab.tool(2, "rlcheck", &["--continue-on-error"]);
    assert!(text.contains("FAILED") && !text.contains("ALL TESTS PASSED.") && code == 1, "{text}");
}

#[tokio::test]
async fn maintenance_snapshots_tasks_and_settings_show() {
    let lab = at(FROM).await;
    lab.inject("now: task import node 2\nnow: node 3 snapshot left\nnow: config slave_ha_grace_period 900")
        .await;
    assert!(lab.rladmin(1, "node 2 maintenance_mode on").ends_with("OK\n"));
    assert!(lab.rladmin(1, "status nodes").contains("/0 "));
    assert!(lab.rladmin(1, "node 2 snapshot list").contains("maintenance_mode_"));
    assert!(lab.rladmin(1, "node 3 snapshot list").contains("left"));
    assert!(lab.rladmin(1, "info node 2").contains("quorum only: enabled"));
    assert!(lab.rladmin(1, "cluster running_actions").starts_with("Got 1 tasks:\n1) Task: import ("));
    assert!(lab.rladmin(1, "info cluster").contains("slave_ha_grace_period: 900"));
    lab.inject("now: no tasks").await;
    assert_eq!(lab.rladmin(1, "cluster running_actions"), "No active tasks\n");
    lab.rladmin(1, "node 2 maintenance_mode off");
    assert!(!lab.rladmin(1, "status nodes").contains("/0 "));
    assert_eq!(lab.rladmin(1, "cluster master"), "Node 1 is the cluster master node\n");
    assert_eq!(lab.rladmin(1, "cluster master set 3"), "Node 3 set to be the cluster master node\n");
    lab.rladmin(1, "node 3 enslave demote_node");
    assert_eq!(lab.cluster.master(), Some(1));
}

#[tokio::test]
async fn issues_only_shows_headers_and_only_what_is_wrong() {
    let lab = at(FROM).await;
    assert!(!lab.rladmin(1, "status issues_only").contains("node:"));
    lab.inject("now: node 3 shard syncing").await;
    let text = lab.rladmin(1, "status issues_only");
    assert!(text.contains("syncing") && !text.contains("*node:1"), "{text}");
}

#[tokio::test]
async fn a_newer_bundled_version_marks_the_shards_as_old() {
    let lab = at(FROM).await;
    lab.install(1, Version::new(7, 8, 2, 34), &["-y"]);
    lab.settle().await;
    assert!(lab.rladmin(2, "status shards").contains("OK, OLD REDIS VERSION"));
    let issues = lab.rladmin(2, "status issues_only");
    assert!(!issues.contains("OLD"), "{issues}");
}

#[tokio::test]
async fn lies_noise_and_broken_tools() {
    let lab = at(FROM).await;
    lab.inject("now: node 1 rlcheck fails verify_host_settings\nnow: noise on\nnow: node 2 rladmin exits 3")
        .await;
    assert_eq!(lab.tool(1, "rlcheck", &[]).1, 1);
    assert_eq!(lab.tool(1, "rlcheck", &["--suppress-tests=verify_host_settings"]).1, 0);
    assert!(lab.rladmin(1, "status").contains("\u{1b}[32mOK"));
    assert_eq!(lab.tool(2, "rladmin", &["status"]).1, 3);
    lab.inject("now: node 2 rladmin empty").await;
    assert_eq!(lab.tool(2, "rladmin", &["status"]), (String::new(), 0));
    lab.inject("now: node 2 rladmin honest\nnow: node 2 down\nnow: node 2 rlcheck passes").await;
    assert_eq!(lab.tool(2, "rlcheck", &[]).1, 0);
    assert!(lab.cluster.inject("now: nonsense").await.is_err());
}

#[tokio::test]
async fn banners_and_tests_differ_between_versions() {
    for (version, product, test) in [
        (Version::new(5, 6, 0, 31), "RedisLabs Enterprise", "verify_dmcproxy"),
        (TO, "Redis Enterprise", "verify_encrypted_gossip"),
        (Version::new(8, 0, 2, 17), "Redis Software", "verify_encrypted_gossip"),
    ] {
        let lab = at(version).await;
        let (text, code) = lab.tool(1, "rlcheck", &[]);
        assert!(text.contains(&format!("Welcome to {product} Cluster")) && text.contains(test), "{text}");
        assert!(
            text.contains("\n\t\t                PASS\n")
                && text.ends_with("ALL TESTS PASSED.\n")
                && code == 0
        );
    }
}

#[tokio::test]
async fn supervisorctl_lists_and_restarts_services() {
    let lab = at(FROM).await;
    assert_eq!(
        lab.tool(1, "supervisorctl", &["restart", "cnm_exec"]),
        ("cnm_exec: stopped\ncnm_exec: started\n".to_owned(), 0)
    );
    let (text, code) = lab.tool(1, "supervisorctl", &["status"]);
    assert!(text.lines().all(|line| line.contains("RUNNING")) && code == 0, "{text}");
    lab.tool(1, "supervisorctl", &["stop", "dmcproxy"]);
    assert_ne!(lab.tool(1, "supervisorctl", &["status"]).1, 0);
    assert_eq!(lab.tool(1, "rlcheck", &[]).1, 1);
}

fn line<'a>(text: &'a str, key: &str) -> &'a str {
    let lines = text.lines().filter_map(|line| line.trim().split_once(": "));
    lines.filter(|(found, _)| *found == key).map(|(_, value)| value).next().unwrap_or("")
}

#[tokio::test]
async fn info_shows_settings_and_somebody_changes_them() {
    let databases =
        vec![DatabaseSpec::single("a b").with_config("maxclients", "7"), DatabaseSpec::single("c")];
    let lab = Lab::start(ClusterSpec { databases, ..ClusterSpec::modelled(3, FROM) }).await;
    let all = lab.rladmin(1, "info db");
    assert!(all.starts_with("db:1 [a b]:\n    client_buffer_limits: 1GB (hard limit)"), "{all}");
    assert!(all.contains("\ndb:2 [c]:\n") && all.contains("\n    maxclients: 7\n"), "{all}");
    assert_eq!(lab.rladmin(1, "info db db:2"), lab.rladmin(2, "info db c"));
    assert_eq!(lab.tool(1, "rladmin", &["info", "db", "nobody"]).1, 1);
    assert_eq!(lab.rladmin(1, "info db db:2 x"), "ERROR: invalid token 'x'\n");
    assert!(lab.rladmin(1, "info node 3").starts_with("Command Output: node:3\n    address: 127."));
    assert_eq!(lab.rladmin(1, "info node").matches("quorum only: disabled").count(), 3);

    lab.inject("now: config db:2 maxclients 500\nnow: node 3 config max redis servers 50\nnow: node 2 maintenance on")
        .await;
    lab.inject("now: config redis_upgrade_policy latest\nnow: config cluster watchdog profile cloud").await;
    assert_eq!(line(&lab.rladmin(1, "info db c"), "maxclients"), "500");
    assert_eq!(line(&lab.rladmin(1, "info node 3"), "max redis servers"), "50");
    assert_eq!(line(&lab.rladmin(1, "info node 2"), "quorum only"), "enabled");
    let cluster = lab.rladmin(3, "info cluster");
    assert_eq!(
        (line(&cluster, "redis_upgrade_policy"), line(&cluster, "watchdog profile")),
        ("latest", "cloud")
    );
    assert_eq!(line(&cluster, "upgrade mode"), "disabled");

    lab.rladmin(1, "tune db c maxclients 600");
    assert_eq!(line(&lab.rladmin(1, "info db c"), "maxclients"), "600");
    assert_eq!(lab.rladmin(1, "tune db c nothing 600"), "ERROR: invalid token 'nothing'\n");
}

#[tokio::test]
async fn modules_of_the_cluster_and_of_its_databases() {
    let search = DatabaseSpec::single("search");
    let databases = vec![search.with_module("RediSearch 2", "2.6.9", "PARTITIONS AUTO").with_module(
        "RedisJSON",
        "2.6.8",
        "",
    )];
    let lab = Lab::start(ClusterSpec { databases, ..ClusterSpec::modelled(1, FROM) }).await;
    let plain = lab.rladmin(1, "status modules");
    assert_eq!(header(&plain, "CLUSTER MODULES:"), ["MODULE", "VERSION"]);
    let text = lab.rladmin(1, "status modules extra all");
    assert_eq!(header(&text, "CLUSTER MODULES:"), ["MODULE", "VERSION", "MIN_REDIS_VERSION", "ID"]);
    assert_eq!(header(&text, "DATABASE MODULES:").join(" "), "DB:ID NAME MODULE VERSION ARGS STATUS");
    assert!(text.contains("PARTITIONS AUTO OK, OLD MODULE VERSION"), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("db:1  search RedisJSON") && last.trim_end().ends_with(" OK"), "{text}");
    for (args, word) in [("status modules extra wrong", "wrong"), ("status modules all", "all")] {
        assert_eq!(lab.rladmin(1, args), format!("ERROR: invalid token '{word}'\n"));
    }
}

#[tokio::test]
async fn thirty_five_nodes_and_two_clusters_side_by_side() {
    let lab = Lab::start(ClusterSpec {
        databases: vec![DatabaseSpec::single("a b")],
        ..ClusterSpec::modelled(35, FROM)
    })
    .await;
    let other = Lab::start(ClusterSpec::modelled(1, FROM).named("other")).await;
    assert_eq!(lab.rladmin(35, "status nodes").matches("node:").count(), 35);
    assert_ne!(lab.cluster.address(1), other.cluster.address(1));
    assert!(other.rladmin(1, "status").contains("other-node1"));
}
