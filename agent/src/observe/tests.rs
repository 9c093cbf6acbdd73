//! The observer and the checks on stand-in installations.

use std::time::{Duration, Instant};

use super::test_product::{STATUS, Script, configure, write};
use super::*;
use crate::host::Deadlines;
use proto::{FailureKind, RestartableService, Version};

fn root() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn observe(product: Product) -> ObservedFacts {
    Observer::new(product, "/tmp".into()).observe(&Observe { run_rlcheck: true, ..Observe::default() }).await
}

#[tokio::test]
async fn a_stand_in_that_knows_only_three_commands_suffices() {
    let root = root();
    configure(root.path(), "node.id", "3\n");
    let facts = observe(Script::default().install(root.path())).await;
    assert_eq!(facts.node_uid, Probe::Known(NodeUid(3)));
    assert_eq!(facts.view.known().unwrap().problems(), []);
    assert_eq!(facts.view.known().unwrap().databases[0].endpoints.len(), 2);
    let installed = facts.installed.known().unwrap();
    assert_eq!((installed.version, installed.read_from.len()), (Version::new(7, 4, 2, 54), 1));
    assert_eq!(facts.installation.known().unwrap().install_dir, "/opt/redislabs");
    assert_eq!(facts.running_actions, Probe::Known(vec![]));
    assert!(facts.rlcheck.unwrap().known().unwrap().passed);
    assert!(matches!(facts.snapshots, Probe::Unsupported(_)), "{:?}", facts.snapshots);
    assert!(matches!(facts.upgrade_mode, Probe::Unsupported(_)));
    assert!(matches!(facts.cluster_name, Probe::Unsupported(_)));
    assert_eq!(facts.settings.len(), Setting::ALL.len());
    assert!(
        facts.settings.values().all(|value| matches!(value, Probe::Unsupported(_))),
        "{:?}",
        facts.settings
    );
}

#[tokio::test]
async fn a_refused_snapshot_list_is_told_from_one_that_is_not_answered() {
    let seen = async |other: &'static str, rladmin: Duration| {
        let root = root();
        let deadlines = Deadlines { rladmin, ..Deadlines::default() };
        let product = Script { other, ..Script::default() }.install(root.path()).with_deadlines(deadlines);
        observe(product).await.snapshots
    };
    let patient = Duration::from_secs(20);
    assert!(matches!(seen("echo 'no such thing' >&2; exit 2", patient).await, Probe::Unsupported(_)));
    assert!(matches!(seen("kill -9 $$", patient).await, Probe::Unknown(_)));
    assert!(matches!(seen("echo garbage", patient).await, Probe::Unknown(_)));
    assert!(matches!(seen("sleep 600", Duration::from_secs(2)).await, Probe::Unknown(_)));
}

#[tokio::test]
async fn what_the_full_product_tells_is_read() {
    let root = root();
    let other = "case \"$*\" in 'info cluster') echo 'upgrade mode: enabled'; echo 'name: c1.local'; echo 'slave_ha_grace_period: 600'; \
                 echo 'parallel_shards_upgrade: all';; \
                 'node 3 snapshot list') echo 'NodeSnapshot<name=maintenance_mode_x,time=None,node_uid=3>';; \
                 'cluster master') echo 'Node 1 is the cluster master node';; *) exit 9;; esac";
    let product = Script { other, ..Script::default() }.install(root.path());
    assert_eq!(product.master().await.unwrap(), NodeUid(1));
    let facts = observe(product).await;
    assert_eq!(facts.upgrade_mode, Probe::Known(true));
    assert_eq!(facts.cluster_name, Probe::Known("c1.local".to_owned()));
    assert_eq!(facts.settings[&Setting::ReplicaHaGracePeriod], Probe::Known(600));
    assert!(matches!(facts.settings[&Setting::ParallelShardsUpgrade], Probe::Unknown(_)));
    assert_eq!(facts.snapshots, Probe::Known(vec!["maintenance_mode_x".to_owned()]));
}

#[tokio::test]
async fn without_an_installation_everything_of_the_product_is_unknown() {
    let root = root();
    let facts = observe(Product::new(root.path().to_owned())).await;
    for missing in [
        facts.node_uid.as_result().err(),
        facts.installed.as_result().err(),
        facts.installation.as_result().err(),
        facts.view.as_result().err(),
        facts.running_actions.as_result().err(),
        facts.upgrade_mode.as_result().err(),
    ] {
        assert!(missing.unwrap().contains("not installed here"), "{missing:?}");
    }
    assert!(facts.rlcheck.unwrap().known().is_none());
}

#[tokio::test]
async fn a_node_in_no_cluster_is_unknown() {
    let root = root();
    let status = "echo \"ERROR: invalid token 'status'\"; exit 1".to_owned();
    let facts = observe(Script { status, ..Script::default() }.install(root.path())).await;
    assert!(
        matches!(&facts.view, Probe::Unknown(reason) if reason.contains("in no cluster")),
        "{:?}",
        facts.view
    );
    assert!(facts.node_uid.known().is_none() && facts.installed.known().is_none());
}

#[tokio::test]
async fn two_answers_to_who_this_is_are_none() {
    let root = root();
    configure(root.path(), "node.id", "2");
    let facts = observe(Script::default().install(root.path())).await;
    let reason = facts.node_uid.as_result().unwrap_err();
    assert!(reason.contains("node:3") && reason.contains("node:2"), "{reason}");
    assert!(matches!(facts.snapshots, Probe::Unknown(_)));
}

#[tokio::test]
async fn while_rladmin_is_down_the_disk_tells_who_and_what() {
    let root = root();
    configure(root.path(), "node.id", "2");
    configure(root.path(), "redislabs_custom_install_version", "7.8.6-36\n");
    let status = "echo 'failed to connect' >&2; exit 1".to_owned();
    let facts = observe(Script { status, ..Script::default() }.install(root.path())).await;
    assert_eq!(facts.node_uid, Probe::Known(NodeUid(2)));
    let installed = facts.installed.known().unwrap();
    assert_eq!(installed.version, Version::new(7, 8, 6, 36));
    assert!(installed.read_from[1].contains("failed to connect"), "{installed:?}");
    assert!(facts.view.as_result().unwrap_err().contains("exit status: 1"));
}

#[tokio::test]
async fn versions_that_disagree_are_unknown() {
    let root = root();
    configure(root.path(), "redislabs_custom_install_version", "7.8.6-36");
    let facts = observe(Script::default().install(root.path())).await;
    let reason = facts.installed.as_result().unwrap_err();
    assert!(reason.contains("7.8.6-36") && reason.contains("7.4.2-54"), "{reason}");
}

#[tokio::test]
async fn noise_colours_and_text_before_the_tables_do_not_matter() {
    let root = root();
    let noisy =
        STATUS.replace("NODE:ID", "\u{1b}[1mNODE:ID\u{1b}[0m").replace(" OK ", " \u{1b}[32mOK\u{1b}[0m ");
    assert_ne!(noisy, STATUS);
    let status = format!("echo 'Traceback' >&2\ncat <<'END'\nWarning: the license expires\n\n{noisy}END");
    let product = Script { status, ..Script::default() }.install(root.path());
    let checked = checks(&product, 0).await.unwrap();
    assert_eq!(checked.view.remarks, ["Warning: the license expires"]);
}

async fn failed_checks(script: Script) -> proto::Failure {
    let root = root();
    let failure = checks(&script.install(root.path()), 0).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Operator);
    assert!(failure.remedy.is_some() && failure.cause.is_some(), "{failure:?}");
    failure
}

#[tokio::test]
async fn each_check_fails_in_its_own_words() {
    let rlcheck = "echo 'Running test: verify_services'; echo 'FAILED: dmcproxy'; exit 1";
    let failure = failed_checks(Script { rlcheck, ..Script::default() }).await;
    assert_eq!(failure.id, "rlcheck-failed");
    assert!(failure.cause.unwrap().contains("verify_services: FAILED: dmcproxy"));

    let down = STATUS.replace("4.62MB   OK ", "4.62MB   DOWN");
    assert_ne!(down, STATUS);
    let status = format!("cat <<'END'\n{down}END");
    let failure = failed_checks(Script { status, ..Script::default() }).await;
    assert_eq!(failure.id, "cluster-not-healthy");
    assert!(failure.cause.unwrap().contains("redis:2: watchdog status is DOWN"));

    let actions = "echo 'Got 1 tasks:'; echo '1) Task: migrate (a) Status: running'";
    let failure = failed_checks(Script { actions, ..Script::default() }).await;
    assert_eq!(failure.id, "actions-running");
    assert!(failure.cause.unwrap().contains("migrate"));
}

/// A cluster in which node 3 takes no shards, and what `rladmin` says of it beyond that.
fn idle(other: &'static str) -> Script {
    let idle = STATUS.replace("0/100  6", "0/0    6");
    assert_ne!(idle, STATUS);
    Script { status: format!("cat <<'END'\n{idle}END"), other, ..Script::default() }
}

#[tokio::test]
async fn a_node_that_takes_no_shards_passes_only_where_the_product_calls_it_quorum_only() {
    let root = root();
    let quorum_only = "case \"$*\" in 'info node 3') printf 'Command Output: node:3\\n  quorum only: enabled\\n';; \
                       'node 3 snapshot list') ;; *) exit 1;; esac";
    checks(&idle(quorum_only).install(root.path()), 0).await.unwrap();
    let others = [
        "echo \"ERROR: invalid token\"; exit 1",
        "true",
        "case \"$*\" in 'info node 3') printf 'Command Output: node:3\\n  quorum only: disabled\\n';; esac",
        "case \"$*\" in 'info node 3') printf 'Command Output: node:3\\n  quorum only: enabled\\n';; \
         *) echo 'Name: maintenance_mode_1 Node: 3';; esac",
        "case \"$*\" in 'info node 3') printf 'Command Output: node:3\\n  quorum only: enabled\\n';; *) exit 1;; esac",
    ];
    for other in others {
        let failure = failed_checks(idle(other)).await;
        assert_eq!(failure.id, "cluster-not-healthy", "{other}");
        assert!(failure.cause.unwrap().contains("node:3: takes no shards"), "{other}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_fails_the_check() {
    let unusable = [
        Script { status: "exit 2".to_owned(), ..Script::default() },
        Script { status: "true".to_owned(), ..Script::default() },
        Script { status: "echo OK".to_owned(), ..Script::default() },
        Script { status: format!("{}\nexit 1", Script::default().status), ..Script::default() },
        Script { actions: "true", ..Script::default() },
        Script { actions: "echo \"ERROR: invalid token 'running_actions'\"", ..Script::default() },
        Script { actions: "echo 'No active tasks'; exit 1", ..Script::default() },
    ];
    for script in unusable {
        assert_eq!(failed_checks(script).await.id, "unreadable");
    }
}

#[tokio::test]
async fn a_tool_that_hangs_is_named_and_holds_nobody() {
    let root = root();
    let short = Duration::from_millis(300);
    let deadlines = Deadlines { rladmin: short, rlcheck: short, other: short };
    let script =
        Script { rlcheck: "sleep 600", status: "echo CLUSTER:; sleep 600".to_owned(), ..Script::default() };
    let product = script.install(root.path()).with_deadlines(deadlines);
    let started = Instant::now();
    let failure = checks(&product, 0).await.unwrap_err();
    assert_eq!(failure.id, "unreadable");
    let program = failure.program.unwrap();
    assert!(program.argv[0].ends_with("/opt/redislabs/bin/rladmin"), "{program:?}");
    assert!(failure.cause.unwrap().contains("/opt/redislabs/bin/rlcheck"), "the other is not hidden");
    assert!(program.status.contains("no answer within 300ms"));
    let facts = observe(product).await;
    assert!(facts.view.as_result().unwrap_err().contains("rladmin status extra all"));
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_status_that_gives_no_answer_is_not_asked_for_modules() {
    let root = root();
    let script = Script {
        status: "exit 1".to_owned(),
        other: "case \"$*\" in status*) touch \"$(dirname \"$0\")/asked\" ;; esac; exit 1",
        ..Script::default()
    };
    let asked = Observe { facts: proto::Fact::ALL.to_vec(), ..Observe::default() };
    let facts = Observer::new(script.install(root.path()), "/tmp".into()).observe(&asked).await;
    assert!(facts.details.rows(proto::Fact::Modules).unwrap_err().contains("not asked"));
    assert!(!root.path().join("opt/redislabs/bin/asked").exists(), "one that hangs would hang twice as long");
}

#[tokio::test]
async fn rlcheck_is_told_to_go_on_and_to_retry() {
    let root = root();
    let rlcheck = "echo \"Running test: $*\"; echo 'ALL TESTS PASSED.'";
    let product = Script { rlcheck, ..Script::default() }.install(root.path());
    assert_eq!(product.rlcheck(0).await.unwrap().tests, ["--continue-on-error"]);
    assert_eq!(product.rlcheck(3).await.unwrap().tests, ["--continue-on-error --retry 3 --retry-delay 5"]);
}

#[tokio::test]
async fn a_service_is_restarted_only_if_the_supervisor_says_so() {
    let root = root();
    let product = Script::default().install(root.path());
    write(
        root.path(),
        "supervisorctl",
        "echo \"$2: stopped\"; echo \"$2: started\"; test \"$1 $2\" = 'restart cnm_exec'",
    );
    product.restart_service(RestartableService::CnmExec).await.unwrap();
    for wrong in ["echo 'cnm_exec: ERROR (spawn error)'", "echo 'cnm_exec: started'; exit 1", "true"] {
        write(root.path(), "supervisorctl", wrong);
        product.restart_service(RestartableService::CnmExec).await.unwrap_err();
    }
}
