//! `install.sh` end to end through a real shell.

mod common;

use std::process::Stdio;

use common::{FROM, Lab, TO, installer, run_installer, text};
use proto::Version;
use sim::model::InstallState;
use sim::{ClusterSpec, PackageSpec};

#[tokio::test]
async fn a_good_install_upgrades_the_node_and_moves_the_master() {
    let lab = Lab::modelled().await;
    let dir = lab.unpack(1, &PackageSpec::new(TO));
    let output = run_installer(&dir, &["-y"]);
    let log = text(&output);
    assert!(output.status.success(), "{log}");
    for line in [
        "[!] Installation is complete!",
        "ALL TESTS PASSED.",
        "[!] Please logout and login again",
        "Installation complete.",
    ] {
        assert!(log.contains(line), "{line} is missing in {log}");
    }
    assert!(!log.contains("[x]"), "{log}");
    assert_eq!(lab.cluster.version(1).unwrap(), TO);
    assert_eq!(lab.cluster.master(), Some(2), "the others elected while it was away");
    assert!(!dir.join("rlec_upgrade_tmpdir").exists());
    let moved = lab.cluster.root(1).join("var/opt/redislabs/log/install.log");
    assert_eq!(std::fs::read_to_string(moved).unwrap(), log);
    lab.settle().await;
    assert!(lab.rladmin(2, "status nodes").contains(&TO.to_string()));
    assert_eq!(lab.cluster.installs(1).len(), 1);
    assert_eq!(lab.cluster.installs(1)[0].state, InstallState::Exited(0));
    assert!(!lab.cluster.snapshot().upgrade_mode);
    let again = text(&run_installer(&dir, &["-y"]));
    assert!(again.contains("rlec_upgrade_tmpdir is missing"), "{again}");
}

#[tokio::test]
async fn every_refusal_exits_zero_and_leaves_the_node_alone() {
    let lab = Lab::modelled().await;
    let cases: &[(&str, Version, &[&str], &str, &str)] = &[
        ("", TO, &["-y", "--install-dir", "/x"], "Error: --install-dir cannot be set during upgrade.", ""),
        ("", TO, &["-y", "-s", "/x"], "Error: -s cannot be set during upgrade.", ""),
        ("", TO, &["-y", "--force"], "unknown option --force", ""),
        ("", TO, &[], "no answer", ""),
        ("", Version::new(9, 0, 0, 1), &["-y"], "only allowed from versions", ""),
        ("", Version::new(7, 2, 4, 52), &["-y"], "only allowed from versions", ""),
        ("now: ccs link down", TO, &["-y"], "CCS replication link is down", "now: ccs link up"),
        ("now: task import node 2", TO, &["-y"], "active tasks", "now: no tasks"),
        ("now: node 2 down", TO, &["-y"], "node is not active", "now: node 2 up"),
    ];
    for (before, to, args, reason, after) in cases {
        lab.inject(before).await;
        let output = lab.install(2, *to, args);
        assert_eq!(output.status.code(), Some(0), "tee's status counts: {reason}");
        assert!(
            text(&output).contains("[x]") && text(&output).contains(reason),
            "{reason}: {}",
            text(&output)
        );
        lab.inject(after).await;
    }
    assert_eq!(lab.cluster.version(2).unwrap(), FROM);
    assert_eq!(lab.cluster.installs(2).len(), cases.len());
    assert!(lab.cluster.snapshot().installs.iter().all(|install| install.ended.is_some()));
}

#[tokio::test]
async fn a_package_for_another_system_and_another_umask_are_refused() {
    let lab = Lab::modelled().await;
    let other = PackageSpec { os: "rhel9".to_owned(), ..PackageSpec::new(TO) };
    assert!(text(&run_installer(&lab.unpack(1, &other), &["-y"])).contains("this package is for rhel9"));
    let dir = lab.unpack(1, &PackageSpec::new(TO));
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", "umask 0077; exec ./install.sh -y"])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(text(&output).contains("umask is 0077"), "{}", text(&output));
    assert_eq!(lab.cluster.version(1).unwrap(), FROM);
}

#[tokio::test]
async fn the_answer_file_decides_whether_the_master_must_be_first() {
    let lab = Lab::modelled().await;
    let answers = lab.dir.path().join("answers");
    let keys = "systune=no\nntp=no\nfirewall=no\nrlcheck=yes\n";
    std::fs::write(&answers, format!("{keys}ignore_master_version=no\n")).unwrap();
    let file = answers.to_str().unwrap();
    let refused = text(&lab.install(2, TO, &["-c", file]));
    assert!(refused.contains("The master node is not upgraded yet") && refused.contains("[x]"), "{refused}");
    assert_eq!(lab.cluster.version(2).unwrap(), FROM);
    assert!(!text(&lab.install(1, TO, &["-c", file])).contains("[x]"), "the master itself may go");
    std::fs::write(&answers, "systune=no\n").unwrap();
    assert!(text(&lab.install(3, TO, &["-c", file])).contains("no answer"));
}

#[tokio::test]
async fn aborts_and_statuses_follow_the_script() {
    let lab = Lab::modelled().await;
    lab.inject("on install of node 2 nth 1: abort exit 0\non install of node 2 nth 2: exit 1").await;
    let aborted = lab.install(2, TO, &["-y"]);
    assert!(aborted.status.success() && text(&aborted).contains("[x]"));
    assert_eq!(lab.cluster.version(2).unwrap(), FROM);
    let odd = lab.install(2, TO, &["-y"]);
    assert_eq!(odd.status.code(), Some(1));
    assert_eq!(lab.cluster.version(2).unwrap(), TO);
    lab.settle().await;
}

#[tokio::test]
async fn a_killed_install_leaves_the_services_down_and_may_be_repeated() {
    for (stage, left) in [("files", FROM), ("start", TO)] {
        let lab = Lab::modelled().await;
        lab.inject(&format!("on install of node 3 nth 1: killed at {stage}")).await;
        let output = lab.install(3, TO, &["-y"]);
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&output.status),
            Some(9),
            "{}",
            text(&output)
        );
        assert_eq!(lab.cluster.version(3).unwrap(), left);
        assert!(lab.rladmin(3, "status").starts_with("ERROR:"));
        assert!(
            lab.cluster
                .wait_until(common::PATIENCE, |model| model.is_detected_down(3, jiff::Timestamp::now()))
                .await
        );
        assert!(lab.rladmin(1, "status nodes").contains("DOWN, last seen"));
        assert!(lab.rladmin(1, "info cluster").contains("upgrade mode: enabled"));
        let died = |model: &sim::model::Model| model.installs[0].state == InstallState::Died;
        assert!(lab.cluster.wait_until(common::PATIENCE, died).await);
        assert!(!text(&lab.install(3, TO, &["-y"])).contains("[x]"));
        assert_eq!(lab.cluster.version(3).unwrap(), TO);
        lab.settle().await;
        assert!(lab.cluster.overlaps().is_empty());
    }
}

#[tokio::test]
async fn other_ways_to_go_wrong() {
    let lab = Lab::modelled().await;
    lab.inject("on install of node 1: version 7.4.2-104\non install of node 2: disk full\nafter install of node 1: shard down")
        .await;
    lab.install(1, TO, &["-y"]);
    assert_eq!(lab.cluster.version(1).unwrap(), Version::new(7, 4, 2, 104));
    assert!(lab.rladmin(3, "status shards").contains("DOWN"));
    let full = text(&lab.install(2, TO, &["-y"]));
    assert!(full.contains("No space left on device"), "{full}");
    assert_eq!(lab.cluster.version(2).unwrap(), FROM);
    assert!(!lab.cluster.snapshot().nodes[&2].is_up());
}

#[tokio::test]
async fn a_hanging_install_counts_as_running_until_it_is_killed_and_locks_its_node() {
    let lab = Lab::modelled().await;
    lab.inject("on install of node 2: hang at stop").await;
    let dir = lab.unpack(2, &PackageSpec::new(TO));
    let mut hanging = installer(&dir, &["-y"]).stdout(Stdio::null()).spawn().unwrap();
    let at_stop = |model: &sim::model::Model| {
        model
            .installs
            .first()
            .is_some_and(|install| install.state == InstallState::At(sim::fault::Stage::Stop))
    };
    assert!(lab.cluster.wait_until(common::PATIENCE, at_stop).await);
    assert!(text(&lab.install(2, TO, &["-y"])).contains("locked by process"));
    hanging.kill().unwrap();
    hanging.wait().unwrap();
    let over = |model: &sim::model::Model| model.installs[0].ended.is_some();
    assert!(lab.cluster.wait_until(common::PATIENCE, over).await);
    assert_eq!(lab.cluster.installs(2)[0].state, InstallState::Died);
    assert_eq!(lab.cluster.overlaps(), [(2, 2)], "the second start fell into the first");
}

#[tokio::test]
async fn the_role_moves_when_the_script_says_so() {
    let spec = ClusterSpec::modelled(5, FROM).with_faults("during install of node 1: master to node 4");
    let lab = Lab::start(spec).await;
    lab.install(1, TO, &["-y"]);
    assert_eq!(lab.cluster.master(), Some(4));
    lab.inject("now: master to node 2\non election: master to node 5\nnow: master down").await;
    assert!(lab.cluster.wait_until(common::PATIENCE, |model| model.master == Some(5)).await);
}

#[tokio::test]
async fn a_reboot_brings_the_node_back_with_what_is_on_its_disk() {
    let lab = Lab::modelled().await;
    lab.inject("on install of node 2: reboot at start back 10 ms").await;
    let output = lab.install(2, TO, &["-y"]);
    assert!(!output.status.success());
    lab.settle().await;
    assert_eq!(lab.cluster.snapshot().nodes[&2].version, TO);
}
