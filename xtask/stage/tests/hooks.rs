//! The operator's own programs, end to end: on the coordinator and on the nodes.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{TO, installs, only_run, ratchet, set, small, upgrade, versions};
use stage::{Stage, StageSpec};

/// Writes a hook that a shell runs; `$LOG` is the file that all hooks of a test write to.
fn hook(directory: &Path, point: &str, name: &str, log: &Path, script: &str) {
    let directory = directory.join(point);
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join(name);
    fs::write(&file, format!("#!/bin/sh\nLOG={}\n{script}\n", log.display())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Gives the coordinator its hooks.
fn hooks_of_coordinator(stage: &Stage, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let mut configuration = fs::OpenOptions::new().append(true).open(stage.configuration()).unwrap();
    writeln!(configuration, "\n[hooks]\ndirectory = {directory:?}\ndeadline = \"20s\"").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_point_is_reached_on_both_sides_in_its_order() {
    let place = tempfile::tempdir().unwrap();
    let (coordinators, nodes, log) =
        (place.path().join("coordinator"), place.path().join("node"), place.path().join("log"));
    for point in ["before-plan", "before-turn", "after-turn", "on-halt", "after-run"] {
        let note = |side: &str| format!("read input\necho \"{side} {point} $input\" >> $LOG");
        hook(&coordinators, point, "10-note", &log, &note("coordinator"));
        hook(&nodes, point, "10-note", &log, &note("node"));
    }
    let agent_tables = format!("[hooks]\ndirectory = {nodes:?}\ndeadline = \"20s\"\n");
    let stage = set(StageSpec { agent_tables, ..small() }).await;
    hooks_of_coordinator(&stage, &coordinators);
    assert_eq!(upgrade(&stage).code, 0);
    assert_eq!(versions(&stage), [TO; 3]);
    let log = fs::read_to_string(log).unwrap();
    let count = |beginning: &str| log.lines().filter(|line| line.starts_with(beginning)).count();
    // A plan is made, and made again when the run starts.
    assert_eq!((count("coordinator before-plan"), count("node before-plan")), (2, 6), "{log}");
    for point in ["before-turn", "after-turn"] {
        assert_eq!(
            (count(&format!("coordinator {point}")), count(&format!("node {point}"))),
            (3, 3),
            "{log}"
        );
    }
    assert_eq!((count("coordinator after-run"), count("node after-run")), (1, 3), "{log}");
    assert_eq!(count("coordinator on-halt") + count("node on-halt"), 0, "{log}");
    let of_a_turn = log.lines().find(|line| line.starts_with("node before-turn")).unwrap();
    for said in ["\"schema\":\"ratchet.hook/1\"", "\"cluster\":\"orders\"", "\"uid\":", TO] {
        assert!(of_a_turn.contains(said), "{said}: {of_a_turn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_blocks_a_turn_halts_with_its_output_before_anything_is_installed() {
    let place = tempfile::tempdir().unwrap();
    let (hooks, log) = (place.path().join("hooks"), place.path().join("log"));
    hook(&hooks, "before-turn", "20-backup", &log, "echo 'no backup since Tuesday' >&2; exit 7");
    hook(&hooks, "on-halt", "10-page", &log, "cat >> $LOG");
    let stage = set(small()).await;
    hooks_of_coordinator(&stage, &hooks);
    let said = ratchet(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.out.contains("20-backup") && said.out.contains("no backup since Tuesday"), "{said:?}");
    assert_eq!(installs(&stage), [0; 3]);
    let paged = fs::read_to_string(&log).unwrap();
    assert!(paged.contains("\"point\":\"on-halt\"") && paged.contains("hook-failed"), "{paged}");

    hook(&hooks, "before-turn", "20-backup", &log, "exit 0");
    assert_eq!(ratchet(&stage, &["resume", &only_run(&stage)]).code, 0);
    assert_eq!(versions(&stage), [TO; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_blocks_a_plan_is_accepted_by_name_and_with_a_reason() {
    let place = tempfile::tempdir().unwrap();
    let (hooks, log) = (place.path().join("hooks"), place.path().join("log"));
    let answer =
        r#"echo '{"verdict":"block","message":"frozen until Monday","remedy":"ask the release desk"}'"#;
    hook(&hooks, "before-plan", "10-freeze", &log, answer);
    let stage = set(small()).await;
    hooks_of_coordinator(&stage, &hooks);
    let blocked = ratchet(&stage, &["plan", "orders", "--to", TO]);
    assert_eq!(blocked.code, 3, "{blocked:?}");
    assert!(
        blocked.out.contains("frozen until Monday") && blocked.out.contains("ask the release desk"),
        "{blocked:?}"
    );
    let accept = "hook:10-freeze=the desk said yes";
    let said = ratchet(&stage, &["upgrade", "orders", "--to", TO, "--yes", "--accept", accept]);
    assert_eq!(said.code, 0, "{said:?}");
    let report = ratchet(&stage, &["report", &only_run(&stage)]);
    assert!(report.out.contains("| hook:10-freeze | the desk said yes |"), "{}", report.out);
}
