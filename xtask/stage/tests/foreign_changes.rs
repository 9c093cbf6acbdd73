//! Somebody else changes the cluster while a run is under way, or between the approval of a plan and its start.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use common::{TO, install_of, installs, only_run, ratchet, set, small, spawn, versions, with_faults};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_between_two_turns_pauses_the_run_until_it_is_acknowledged() {
    let stage = set(with_faults(small(), "on install of master nth 1: hang at files")).await;
    let master = stage.cluster.master().unwrap();
    let upgrade = spawn(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    install_of(&stage, master).await;
    stage.cluster.inject("now: config db:1 maxclients 500").await.unwrap();
    stage.cluster.inject("now: config slave_ha_grace_period 900").await.unwrap();
    stage.cluster.inject(&format!("now: node {master} installer goes on")).await.unwrap();
    let ended = upgrade.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(5), "{said}");
    assert!(said.contains("db:1: maxclients: ") && said.contains("→ `500`"), "{said}");
    assert!(said.contains("cluster: slave_ha_grace_period: `600` → `900`"), "{said}");
    assert!(said.contains("--acknowledge"), "{said}");
    assert_eq!(installs(&stage).iter().sum::<usize>(), 1, "nothing is installed after it");
    let run = only_run(&stage);

    let why = ratchet(&stage, &["why", "orders"]);
    assert!(
        why.out.contains("maxclients") && why.out.contains(&format!("ratchet resume {run} --acknowledge")),
        "{why:?}"
    );
    let unsaid = ratchet(&stage, &["resume", &run]);
    assert_eq!(unsaid.code, 3, "{unsaid:?}");
    assert!(unsaid.err.contains("maxclients"), "{unsaid:?}");

    assert_eq!(ratchet(&stage, &["resume", &run, "--acknowledge"]).code, 0);
    assert_eq!(versions(&stage), [TO; 3]);
    assert_eq!(installs(&stage), [1; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_refused_with_what_has_changed_since() {
    let stage = set(small()).await;
    let file = stage.dir.join("orders.plan");
    let file = file.to_str().unwrap();
    assert_eq!(ratchet(&stage, &["plan", "orders", "--to", TO, "--save", file]).code, 0);
    stage.cluster.inject("now: config db:1 maxclients 500").await.unwrap();
    let refused = ratchet(&stage, &["upgrade", "--plan", file, "--yes"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("stale") || refused.err.contains("no longer fits"), "{refused:?}");
    assert!(refused.err.contains("db:1: maxclients"), "{refused:?}");
    assert_eq!(installs(&stage), [0; 3]);
}
