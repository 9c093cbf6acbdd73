//! Every file of `samples/`, output of the vendor's tools as published, read with its right answer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use agent::parse::{info, install_log, master, modules, rlcheck, running_actions, snapshot_list, status};
use proto::NodeUid;
use support::{databases, endpoints, nodes, read, sample_names, shards};

/// What a file must be read as.
type Answer = fn(&str);

const ANSWERS: &[(&str, Answer)] = &[
    ("install-log-fail__7.x-2025-options-in-upgrade__redis-docs-pr1827__1.txt", |text| {
        let log = install_log::parse(text);
        assert_eq!(log.errors.len(), 3);
        assert!(log.errors[0].ends_with("[x] Error: --install-dir cannot be set during upgrade."));
        assert!(!log.complete);
    }),
    ("install-log__4.5-md-escaped__redislabs-docs-history__2.txt", finished),
    ("install-log__4.5__redislabs-docs-history__1.txt", finished),
    ("install-summary__2017__redis-docs__1.txt", finished),
    ("install-yum-error__5.4.10__redis-docs__1.txt", |text| {
        let log = install_log::parse(text);
        assert_eq!(log.errors.len(), 2, "{log:?}");
        assert!(log.errors[1].starts_with("Requires: libcrypto.so.10"));
        assert!(!log.complete);
    }),
    ("rest-v1-cluster-check__fail__redis-docs__1.json", |text| {
        assert_eq!(json(text)["nodes"][2]["result"], false);
    }),
    ("rest-v1-nodes-check__pass__redis-docs__1.json", |text| assert_eq!(json(text)["result"], true)),
    ("rest-v1-nodes-status__6.2.18__redislabs-docs-history__1.json", |text| {
        assert_eq!(json(text)["1"]["role"], "master");
    }),
    ("rest-v1-nodes-status__7.4.6__redis-docs__1.json", not_json),
    ("rest-v1-nodes-uid-status__7.4.6__redis-docs__2.json", |text| {
        assert_eq!(json(text)["software_version"], "7.4.6-22");
    }),
    ("rest-v1-nodes__0.90__redis-docs__1.json", not_json),
    ("rladmin-cluster-master-set__na__redis-docs__1.txt", of_no_use),
    ("rladmin-cluster-master__na__redis-docs__1.txt", |text| assert_eq!(master::parse(text), Ok(NodeUid(1)))),
    ("rladmin-cluster-running_actions__na__redis-docs__1.txt", |text| {
        assert_eq!(running_actions::parse(text), Ok(vec![]));
    }),
    ("rladmin-error-invalid-token__2026__redis-docs-pr3807__1.txt", of_no_use),
    ("rladmin-migrate-all_shards__na__redis-docs__1.txt", of_no_use),
    ("rladmin-node-enslave-demote__6.2.12__redis-docs__1.txt", of_no_use),
    ("rladmin-node-maintenance-off__6.2.12__redis-docs__1.txt", of_no_use),
    ("rladmin-node-maintenance-on__6.2.12__redis-docs__1.txt", of_no_use),
    ("rladmin-node-remove-with-table__6.2.12__redis-docs__1.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.12 3d99db1fdf4b 5/100 6.2.12-37 OK",
                "2 slave 192.0.2.13 fc7a3d332458 5/100 6.2.12-37 OK",
            ]
        );
        let remarks = status::parse_report(text).unwrap().remarks;
        assert_eq!(remarks, ["Performing remove action on node:3: 100%", "OK"]);
    }),
    ("rladmin-recover-list__na__redis-docs__1.txt", of_no_use),
    ("rladmin-status-databases-sort__na__redis-docs__1.txt", |text| {
        assert_eq!(
            databases(text),
            [
                "1 database1 OK single redis-10269.testdbd11169.localhost:10269",
                "2 database2 OK single redis-13897.testdbd11169.localhost:13897",
                "3 database3 OK replicated redis-19416.testdbd13186.localhost:19416",
            ]
        );
    }),
    ("rladmin-status-databases__5.x__redislabs-docs-history__1.txt", |text| {
        assert_eq!(
            databases(text),
            [
                "1 db1 OK single redis-10951.cluster1.local:10951",
                "2 db2 OK single redis-13868.cluster1.local:13868",
            ]
        );
    }),
    ("rladmin-status-databases__na__redis-docs__2.txt", |text| {
        assert_eq!(databases(text), ["5 tr01 OK replicated redis-12000.cluster.local:12000"]);
    }),
    ("rladmin-status-endpoints__na-exclude__redis-docs__2.txt", two_endpoints),
    ("rladmin-status-endpoints__na-include__redis-docs__3.txt", two_endpoints),
    ("rladmin-status-endpoints__na__redis-docs__1.txt", |text| {
        assert_eq!(
            endpoints(text),
            [
                "endpoint:1:1 db:1 node:1 a status that was not shown",
                "endpoint:2:1 db:2 node:2 a status that was not shown",
                "endpoint:3:1 db:3 node:3 a status that was not shown",
            ]
        );
    }),
    ("rladmin-status-extra-all__6.2.12-docker-ips__redislabs-docs-history__1.txt", |text| {
        whole(text, "172.17.0")
    }),
    ("rladmin-status-extra-all__6.2.12__redis-docs__1.txt", |text| whole(text, "198.51.100")),
    // The tables were left out when it was published.
    ("rladmin-status-extra-all__8.x-cut__redis-docs__2.txt", |text| {
        let section = "CLUSTER NODES:";
        assert_eq!(status::parse(text), Err(status::StatusError::MissingSection { section }));
        let (health, named) = status::parse_report(text).unwrap().cluster.unwrap();
        assert!(!health.is_ok());
        assert_eq!(named, Some(NodeUid(2)));
    }),
    // No issue at all, and still nothing that says a cluster is healthy.
    ("rladmin-status-issues-only__na-empty__redis-docs__1.txt", |text| {
        let report = status::parse_report(text).unwrap();
        assert_eq!(report.nodes.as_deref(), Some(&[][..]));
        assert_eq!(report.databases(), Some(vec![]));
        assert_eq!(report.endpoints.as_deref(), Some(&[][..]));
        assert_eq!(report.shards.as_deref(), Some(&[][..]));
        status::parse(text).unwrap_err();
    }),
    ("rladmin-status-modules-extra-all__na__redis-docs__1.txt", |text| {
        of_no_use(text);
        let modules = modules::parse(text).unwrap();
        assert_eq!((modules.cluster.len(), modules.databases.len()), (10, 3));
    }),
    ("rladmin-status-modules__7.2-old__redis-docs__1.txt", |text| {
        of_no_use(text);
        let modules = modules::parse(text).unwrap();
        assert_eq!((modules.cluster.len(), modules.databases.len()), (6, 2));
    }),
    ("rladmin-status-nodes-sort__6.2.12__redis-docs__1.txt", |text| sorted_nodes(text, "6.2.12-37")),
    ("rladmin-status-nodes__6.2.12-after-addr__redis-docs__2.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.2 3d99db1fdf4b 5/100 6.2.12-37 OK",
                "2 slave 192.0.2.5 fc7a3d332458 0/100 6.2.12-37 OK",
                "3 slave 192.0.2.4 b87cc06c830f 5/120 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-after-demote__redis-docs__4.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.12 3d99db1fdf4b 1/100 6.2.12-37 OK",
                "2 slave 192.0.2.13 fc7a3d332458 4/100 6.2.12-37 OK",
                "3 slave 192.0.2.14 b87cc06c830f 5/120 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-before-remove__redis-docs__10.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.12 3d99db1fdf4b 5/100 6.2.12-37 OK",
                "2 slave 192.0.2.13 fc7a3d332458 4/100 6.2.12-37 OK",
                "3 slave 192.0.2.14 b87cc06c830f 1/120 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-local-is-slave__redis-docs__3.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 slave 192.0.2.12 3d99db1fdf4b 1/100 6.2.12-37 OK",
                "2 master 192.0.2.13 fc7a3d332458 4/100 6.2.12-37 OK",
                "3 slave 192.0.2.14 b87cc06c830f 5/120 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-maintenance-off__redis-docs__9.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.12 3d99db1fdf4b 5/100 6.2.12-37 OK",
                "2 slave 192.0.2.13 fc7a3d332458 5/100 6.2.12-37 OK",
                "4 slave 192.0.2.14 6d754fe12cb9 0/100 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-maintenance-on__redis-docs__8.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.12 3d99db1fdf4b 5/100 6.2.12-37 OK",
                "2 slave 192.0.2.13 fc7a3d332458 0/0 6.2.12-37 OK",
                "4 slave 192.0.2.14 6d754fe12cb9 5/100 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-node-down__redis-docs__1.txt", |text| {
        assert_eq!(
            nodes(text),
            [
                "*1 master 192.0.2.2 3d99db1fdf4b 5/100 6.2.12-37 OK",
                "2 slave 192.0.2.3 fc7a3d332458 0/100 6.2.12-37 bad: DOWN, last seen 33s ago",
                "3 slave 192.0.2.4 b87cc06c830f 5/120 6.2.12-37 OK",
            ]
        );
    }),
    ("rladmin-status-nodes__6.2.12-one-external__redis-docs__5.txt", external_nodes),
    ("rladmin-status-nodes__6.2.12-trailing-blanks__redis-docs__7.txt", external_nodes),
    ("rladmin-status-nodes__6.2.12-two-externals__redis-docs__6.txt", external_nodes),
    ("rladmin-status-nodes__7.22.0__redis-docs__1.txt", |text| sorted_nodes(text, "7.22.0-250")),
    ("rladmin-status-nodes__7.8.6-quorum-only__redis-docs__2.txt", |text| nodes_786(text, "0/0")),
    ("rladmin-status-nodes__7.8.6__redis-docs__1.txt", |text| nodes_786(text, "0/100")),
    ("rladmin-status-shards-sort__na__redis-docs__1.txt", |text| {
        assert_eq!(
            shards(text),
            [
                "redis:6 db:3 node:1 primary 8192-12287 OK",
                "redis:4 db:3 node:1 primary 0-4095 OK",
                "redis:5 db:3 node:1 primary 4096-8191 OK",
                "redis:7 db:3 node:1 primary 12288-16383 OK",
            ]
        );
    }),
    ("rladmin-status-shards__na-before-failover__redis-docs__3.txt", |text| {
        assert_eq!(
            shards(text),
            ["redis:12 db:5 node:1 replica 0-16383 OK", "redis:13 db:5 node:2 primary 0-16383 OK",]
        );
    }),
    ("rladmin-status-shards__na-two-nodes__redis-docs__4.txt", |text| {
        assert_eq!(
            shards(text),
            ["redis:1 db:2 node:1 primary 0-16383 OK", "redis:2 db:2 node:2 replica 0-16383 OK",]
        );
    }),
    ("rladmin-status-shards__na__redis-docs__2.txt", |text| {
        assert_eq!(shards(text), ["redis:1 db:1 node:1 primary 0-16383 OK"]);
    }),
    ("rladmin-status__5.4-era-cut-columns-maint__redis-docs__2.txt", without_version),
    ("rladmin-status__5.4-era-cut-columns__redis-docs__1.txt", without_version),
    ("rladmin-verify-balance__na-empty__redis-docs__1.txt", of_no_use),
    ("rlcheck-pass__7.22__redis-docs__2.txt", passed),
    ("rlcheck-pass__8.x__redis-docs__1.txt", passed),
];

fn finished(text: &str) {
    assert_eq!(install_log::parse(text), install_log::InstallLog { complete: true, errors: vec![] });
}

fn passed(text: &str) {
    let found = rlcheck::parse(text, true);
    assert!(found.passed);
    assert_eq!(found.tests, ["verify_bootstrap_status", "verify_encrypted_gossip"]);
    assert!(!rlcheck::parse(text, false).passed);
}

/// REST answers wait for a reader of their own; until then they are kept whole.
fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Published with remarks in it: no reader of JSON may be expected to take it.
fn not_json(text: &str) {
    assert!(text.contains("// additional fields"));
    serde_json::from_str::<serde_json::Value>(text).unwrap_err();
}

/// Output of commands nobody reads: no reader may take it for its own.
fn of_no_use(text: &str) {
    status::parse_report(text).unwrap_err();
    status::parse(text).unwrap_err();
    running_actions::parse(text).unwrap_err();
    master::parse(text).unwrap_err();
    snapshot_list::parse(text).unwrap_err();
    assert!(info::parse(text).and_then(|info| info.upgrade_mode()).is_err());
    assert!(!rlcheck::parse(text, true).passed);
    assert!(!install_log::parse(text).complete);
}

fn two_endpoints(text: &str) {
    assert_eq!(
        endpoints(text),
        [
            "endpoint:6:1 db:6 node:1 a status that was not shown",
            "endpoint:6:1 db:6 node:3 a status that was not shown",
        ]
    );
}

fn sorted_nodes(text: &str, version: &str) {
    assert_eq!(
        nodes(text),
        [
            format!("1 master 198.51.100.2 3d99db1fdf4b 4/100 {version} OK"),
            format!("*3 slave 198.51.100.4 b87cc06c830f 0/100 {version} OK"),
            format!("2 slave 198.51.100.3 fc7a3d332458 0/100 {version} OK"),
        ]
    );
}

fn external_nodes(text: &str) {
    assert_eq!(
        nodes(text),
        [
            "*1 master 192.0.2.2 3d99db1fdf4b 5/100 6.2.12-37 OK",
            "2 slave 192.0.2.3 fc7a3d332458 0/100 6.2.12-37 OK",
            "3 slave 192.0.2.4 b87cc06c830f 5/120 6.2.12-37 OK",
        ]
    );
}

fn nodes_786(text: &str, third: &str) {
    assert_eq!(
        nodes(text),
        [
            "1 master 192.0.2.0 3d99db1fdf4b 0/100 7.8.6-36 OK".to_owned(),
            "2 slave 198.51.100.0 b87cc06c830f 2/100 7.8.6-36 OK".to_owned(),
            format!("*3 slave 203.0.113.0 fc7a3d332458 {third} 7.8.6-36 OK"),
        ]
    );
}

/// "Missing `NODE:ID`, `VERSION` or `STATUS` in the nodes table = parse error" (fact sheet §3.3).
fn without_version(text: &str) {
    let expected = status::StatusError::MissingColumn { section: "CLUSTER NODES:", column: "VERSION" };
    assert_eq!(status::parse_report(text).unwrap_err(), expected);
}

fn whole(text: &str, network: &str) {
    let view = status::parse(text).unwrap();
    assert_eq!(view.problems(), []);
    assert_eq!(
        (view.master, view.agreed_master(), view.local),
        (Some(NodeUid(1)), Some(NodeUid(1)), NodeUid(3))
    );
    assert_eq!(
        nodes(text),
        [
            format!("1 master {network}.2 3d99db1fdf4b 4/100 6.2.12-37 OK"),
            format!("2 slave {network}.3 fc7a3d332458 0/100 6.2.12-37 OK"),
            format!("*3 slave {network}.4 b87cc06c830f 0/100 6.2.12-37 OK"),
        ]
    );
    assert_eq!(databases(text), ["3 database3 OK single redis-11103.cluster.local:11103"]);
    assert_eq!(view.databases[0].redis_version.as_deref(), Some("6.0.16"));
    assert_eq!(view.databases[0].exec_state, None);
    assert_eq!(endpoints(text), ["endpoint:3:1 db:3 node:1 OK"]);
    assert_eq!(
        shards(text),
        [
            "redis:4 db:3 node:1 primary 0-4095 OK",
            "redis:5 db:3 node:1 primary 4096-8191 OK",
            "redis:6 db:3 node:1 primary 8192-12287 OK",
            "redis:7 db:3 node:1 primary 12288-16383 OK",
        ]
    );
    assert!(view.shards.iter().all(|shard| shard.watchdog.is_ok()));
    assert_eq!(view.remarks, [""; 0]);
}

#[test]
fn every_sample_has_its_answer() {
    let expected: BTreeSet<String> = ANSWERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(expected.len(), ANSWERS.len());
    assert_eq!(sample_names(), expected);
    for (name, answer) in ANSWERS {
        println!("{name}");
        answer(&read(name));
    }
}

/// Good news of one kind is found in exactly the files that hold it, whoever reads them.
#[test]
fn nobody_finds_good_news_in_a_foreign_file() {
    let found = |good: &dyn Fn(&str) -> bool| -> Vec<String> {
        sample_names().into_iter().filter(|name| good(&read(name))).collect()
    };
    let healthy = found(&|text| status::parse(text).is_ok_and(|view| view.problems().is_empty()));
    assert!(
        healthy.len() == 2 && healthy.iter().all(|name| name.starts_with("rladmin-status-extra-all__6.2.12"))
    );
    let idle = found(&|text| running_actions::parse(text) == Ok(vec![]));
    assert_eq!(idle, ["rladmin-cluster-running_actions__na__redis-docs__1.txt"]);
    let complete = found(&|text| install_log::parse(text).complete);
    assert!(complete.len() == 3 && complete.iter().all(|name| name.starts_with("install-")), "{complete:?}");
    // The installer runs `rlcheck` too and prints its verdict; only the full run of our own is ever read as one.
    let passed = found(&|text| rlcheck::parse(text, true).passed);
    assert!(
        passed.iter().all(|name| name.starts_with("rlcheck-") || name.starts_with("install-")),
        "{passed:?}"
    );
    let masters = found(&|text| master::parse(text).is_ok());
    assert_eq!(masters, ["rladmin-cluster-master__na__redis-docs__1.txt"]);
    let none_left = found(&|text| snapshot_list::parse(text).is_ok());
    assert_eq!(none_left, [""; 0]);
}
