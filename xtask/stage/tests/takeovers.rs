//! A coordinator that hangs, is cut off or lost for good, and the one that takes over (promises P6, P8, P12).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::process::{Child, Command};

use common::{TO, install_of, installs, only_run, ratchet, set, small, spawn, versions, with_faults};
use stage::Stage;

const HANGS: &str = "on install of master nth 1: hang at files";

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// An upgrade whose first install hangs until it is told to go on.
async fn in_the_first_install(stage: &Stage) -> Child {
    let master = stage.cluster.master().unwrap();
    let child = spawn(stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    install_of(stage, master).await;
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_coordinator_is_superseded_and_says_so_with_exit_5() {
    let stage = set(with_faults(small(), HANGS)).await;
    let master = stage.cluster.master().unwrap();
    let hung = in_the_first_install(&stage).await;
    signal(&hung, "-STOP");
    let run = only_run(&stage);

    let look = ratchet(&stage, &["takeover", "orders"]);
    assert_eq!(look.code, 3, "without --yes nothing is taken: {look:?}");
    let said = format!("{}{}", look.out, look.err);
    for word in ["--yes", &run, "install"] {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    let refused = ratchet(&stage, &["-o", "json", "takeover", "orders", "--yes"]);
    assert_eq!(refused.code, 3, "an install is in flight: {refused:?}");
    assert!(format!("{}{}", refused.out, refused.err).contains("--despite-install"), "{refused:?}");

    let taken = ratchet(&stage, &["takeover", "orders", "--yes", "--despite-install"]);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert!(taken.out.contains(&format!("ratchet resume {run}")), "{taken:?}");
    let resumed = spawn(&stage, &["resume", &run]);
    stage.cluster.inject(&format!("now: node {master} installer goes on")).await.unwrap();
    let resumed = resumed.wait_with_output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", String::from_utf8_lossy(&resumed.stderr));

    signal(&hung, "-CONT");
    let hung = hung.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&hung.stdout), String::from_utf8_lossy(&hung.stderr));
    assert_eq!(hung.status.code(), Some(5), "{said}");
    assert!(said.contains("driven by"), "{said}");
    assert_eq!(installs(&stage), [1; 3], "P6, P8");
    assert_eq!(versions(&stage), [TO; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_no_dead_end() {
    let stage = set(with_faults(small(), "on install of node 2 nth 1: abort exit 1")).await;
    assert_eq!(common::upgrade(&stage).code, 4, "it halts at node 2, holding all nodes");
    let lost: Vec<_> = std::fs::read_dir(&stage.dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("ratchet.db"))
        .collect();
    assert!(!lost.is_empty());
    for path in lost {
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap()
        } else {
            std::fs::remove_file(path).unwrap()
        }
    }
    let blocked = common::upgrade(&stage);
    assert_eq!(blocked.code, 3, "{blocked:?}");
    assert!(format!("{}{}", blocked.out, blocked.err).contains("ratchet takeover orders"), "{blocked:?}");
    let taken = ratchet(&stage, &["takeover", "orders", "--yes"]);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(ratchet(&stage, &["takeover", "orders", "--yes"]).code, 0, "once more does no harm");
    let upgraded = common::upgrade(&stage);
    assert_eq!(upgraded.code, 0, "{upgraded:?}");
    assert_eq!(versions(&stage), [TO; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_take_over_nothing_is_changed() {
    let stage = set(small()).await;
    let look = ratchet(&stage, &["-o", "json", "takeover", "orders"]);
    assert_eq!(look.code, 0, "{look:?}");
    assert_eq!(look.json()["schema"], "ratchet.takeover/1");
    assert_eq!(common::upgrade(&stage).code, 0);
}
