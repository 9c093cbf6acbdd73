//! Facts from the product's own tools, on stand-in installations.

use std::time::Duration;

use proto::wire::Observe;
use proto::{Details, Fact, Probe};

use super::super::Observer;
use super::super::test_product::{Script, write};
use crate::host::Deadlines;

const ASKED: [Fact; 6] = [
    Fact::ClusterInfo,
    Fact::NodeInfo,
    Fact::DatabaseInfo,
    Fact::Modules,
    Fact::DatabaseModules,
    Fact::Services,
];

/// Counts its calls in the root it lies in; each of the answers is as documented.
const FULL: &str = r#"echo "$*" >> "${0%/opt/*}/calls"
case "$*" in
'info cluster') printf 'Cluster configuration:\n    upgrade mode: disabled\n    redis_upgrade_policy: major\n' ;;
'info node 3') printf 'Command Output: node:3\n    quorum only: disabled\n    max redis servers: 100\n' ;;
'info db') printf 'db:1 [db1]:\n    maxclients: 10000\n' ;;
'status modules extra all') cat <<'END'
CLUSTER MODULES:
MODULE       VERSION MIN_REDIS_VERSION ID
RediSearch 2 2.8.9   7.1               dd9a

DATABASE MODULES:
DB:ID NAME MODULE       VERSION ARGS STATUS
db:1  db1  RediSearch 2 2.8.9        OK
END
;;
*) exit 9 ;;
esac"#;

async fn seen(script: &Script, supervisorctl: Option<&str>, facts: &[Fact]) -> (Details, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    let deadlines = Deadlines { rladmin: Duration::from_secs(5), ..Deadlines::default() };
    let product = script.install(root.path()).with_deadlines(deadlines);
    if let Some(script) = supervisorctl {
        write(root.path(), "supervisorctl", script);
    }
    let asked = Observe { facts: facts.to_vec(), ..Observe::default() };
    let details = Observer::new(product, "/tmp".into()).observe(&asked).await.details;
    let calls = std::fs::read_to_string(root.path().join("calls")).unwrap_or_default();
    (details, calls.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn everything_is_read_and_nothing_is_asked_for_twice() {
    let script = Script { other: FULL, ..Script::default() };
    let supervisorctl =
        "echo 'node_wd   RUNNING   pid 7, uptime 0:01:00'; echo 'cm_server STOPPED   Not started'; exit 3";
    let (details, mut calls) = seen(&script, Some(supervisorctl), &ASKED).await;
    assert_eq!(details.cell(Fact::ClusterInfo, "upgrade mode"), Ok("disabled"));
    assert_eq!(details.cell(Fact::NodeInfo, "quorum only"), Ok("disabled"));
    assert_eq!(details.cell(Fact::DatabaseInfo, "maxclients"), Ok("10000"));
    assert_eq!(details.cell(Fact::Modules, "min_redis_version"), Ok("7.1"));
    assert_eq!(details.cell(Fact::DatabaseModules, "status"), Ok("OK"));
    let states: Vec<&str> =
        details.rows(Fact::Services).unwrap().iter().map(|row| row["state"].as_str()).collect();
    assert_eq!(states, ["RUNNING", "STOPPED"]);
    calls.sort();
    assert_eq!(
        calls,
        ["info cluster", "info db", "info node 3", "node 3 snapshot list", "status modules extra all"]
    );
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_looked_up() {
    let script = Script { other: FULL, ..Script::default() };
    let (details, calls) = seen(&script, None, &[]).await;
    assert_eq!(details, Details::default());
    assert!(calls.iter().all(|call| call == "info cluster" || call.contains("snapshot")), "{calls:?}");
}

#[tokio::test]
async fn a_stand_in_that_knows_only_three_commands_offers_none_of_them() {
    for other in [Script::default().other, "echo 'no such thing' >&2; exit 2"] {
        let (details, _) = seen(&Script { other, ..Script::default() }, None, &ASKED).await;
        for fact in &ASKED[..5] {
            assert!(matches!(details.0[fact], Probe::Unsupported(_)), "{fact}: {:?}", details.0[fact]);
        }
        assert!(matches!(details.0[&Fact::Services], Probe::Unknown(_)), "{:?}", details.0[&Fact::Services]);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_unknown() {
    for other in ["echo garbage", "true", "kill -9 $$"] {
        let script = Script { other, ..Script::default() };
        let (details, _) = seen(&script, Some("echo 'error: refused'; exit 4"), &ASKED).await;
        for fact in ASKED {
            assert!(matches!(details.0[&fact], Probe::Unknown(_)), "{other}: {fact}: {:?}", details.0[&fact]);
        }
    }
}

#[tokio::test]
async fn a_database_that_status_shows_must_be_told_of() {
    let other = "printf 'db:2 [x]:\\n    maxclients: 1\\n'";
    let (details, _) = seen(&Script { other, ..Script::default() }, None, &[Fact::DatabaseInfo]).await;
    let reason = details.rows(Fact::DatabaseInfo).unwrap_err();
    assert!(reason.contains("db:1"), "{reason}");
}

#[tokio::test]
async fn while_rladmin_is_down_nothing_is_called_unsupported() {
    let status = "echo 'failed to connect' >&2; exit 1".to_owned();
    let script = Script { status, other: "exit 1", ..Script::default() };
    let (details, _) = seen(&script, None, &ASKED).await;
    for fact in ASKED {
        assert!(matches!(details.0[&fact], Probe::Unknown(_)), "{fact}: {:?}", details.0[&fact]);
    }
}

#[tokio::test]
async fn modules_are_read_without_the_extra_columns_where_those_are_turned_down() {
    let other = r#"case "$*" in
'status modules') printf 'CLUSTER MODULES:\nMODULE VERSION\nRedisJSON 2.6.8\n\nDATABASE MODULES:\nDB:ID MODULE VERSION STATUS\n' ;;
*) echo "ERROR: invalid token 'extra'"; exit 1 ;;
esac"#;
    let script = Script { other, ..Script::default() };
    let (details, _) = seen(&script, None, &ASKED).await;
    assert_eq!(details.cell(Fact::Modules, "version"), Ok("2.6.8"));
    assert!(details.cell(Fact::Modules, "min_redis_version").is_err());
    assert_eq!(details.rows(Fact::DatabaseModules), Ok(&[][..]));
}
