//! Known hazards, found on live facts before anything moves: refused with the node, the cause and the remedy.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Said, TO, installs, only_run, quick, ratchet, set, small, upgrade, v, versions};
use serde_json::Value;
use sim::ClusterSpec;
use stage::{Stage, StageSpec};

/// The finding of a check or an advisory; it stands in the way, and nothing was changed.
fn blocked_by(stage: &Stage, said: &Said, id: &str) -> Value {
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(installs(stage), vec![0; stage.nodes().count()]);
    let document = said.json();
    let findings = document["findings"].as_array().unwrap_or_else(|| panic!("{document:#}"));
    let of_id = findings.iter().find(|finding| finding["check"] == id && finding["verdict"] == "block");
    let finding = of_id.unwrap_or_else(|| panic!("`{id}` does not block: {findings:#?}")).clone();
    for told in ["saw", "why", "remedy", "source"] {
        assert!(finding[told].as_str().is_some_and(|text| !text.is_empty()), "{told}: {finding:#}");
    }
    finding
}

fn plan(stage: &Stage, to: &str) -> Said {
    ratchet(stage, &["-o", "json", "plan", "orders", "--to", to])
}

/// Gives a node a program of its own.
fn program(root: &Path, path: &str, script: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A cluster on RHEL 9, where every node has the OpenSSL of 9.2.
async fn on_rhel9(from: &str, packages: &[&str]) -> common::Set {
    let mut cluster = quick(ClusterSpec::modelled(3, v(from)));
    cluster.os = "rhel9".to_owned();
    let packages: Vec<_> = packages.iter().map(|version| v(version)).collect();
    let stage = set(StageSpec::new(cluster, &packages)).await;
    for uid in stage.nodes() {
        program(&stage.cluster.root(uid), "usr/bin/openssl", "echo 'OpenSSL 3.0.7 1 Nov 2022'");
    }
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openssl_on_rhel_9_that_would_break_the_upgrade_half_way() {
    let stage = on_rhel9("7.22.0-95", &["8.0.20-68", "8.0.20-96"]).await;
    let said = plan(&stage, "8.0.20-68");
    let finding = blocked_by(&stage, &said, "openssl33-rhel9");
    assert!(finding["saw"].as_str().unwrap().contains("3.0.7"), "{finding:#}");
    assert!(finding["remedy"].as_str().unwrap().contains("8.0.20-96"), "{finding:#}");
    let free = plan(&stage, "8.0.20-96").json();
    assert!(!free.to_string().contains("\"openssl33-rhel9\""), "{free:#}");
    // Whoever mends the nodes gets through.
    for uid in stage.nodes() {
        program(&stage.cluster.root(uid), "usr/bin/openssl", "echo 'OpenSSL 3.5.1 1 Jul 2025'");
    }
    let mended = plan(&stage, "8.0.20-68");
    assert!(!mended.out.contains("\"openssl33-rhel9\""), "{mended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_goes_round_a_hazard_that_another_supported_way_avoids() {
    let stage = on_rhel9("6.4.2-94", &["8.0.16-33", "7.22.0-95", "8.2.0-46"]).await;
    let answer = plan(&stage, "8.2.0-46").json();
    let hops: Vec<&str> =
        answer["plan"]["hops"].as_array().unwrap().iter().map(|hop| hop["to"].as_str().unwrap()).collect();
    assert_eq!(hops, ["7.22.0-95", "8.2.0-46"], "not by way of 8.0.16-33: {answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_the_target_reserves_and_somebody_uses() {
    let stage = set(small()).await;
    let own = stage.cluster.root(2).join("proc/net");
    fs::create_dir_all(&own).unwrap();
    let row = "   0: 00000000:0D13 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0";
    let table =
        format!("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n{row}\n");
    fs::write(own.join("tcp"), table).unwrap();
    let finding = blocked_by(&stage, &upgrade_refused(&stage), "reserved-ports");
    assert!(finding["saw"].as_str().unwrap().contains("3347"), "{finding:#}");
    assert_eq!(finding["node"], 2, "{finding:#}");
}

fn upgrade_refused(stage: &Stage) -> Said {
    ratchet(stage, &["-o", "json", "upgrade", "orders", "--to", TO, "--yes"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_redis_the_target_does_not_bring_is_named_with_the_command() {
    // New databases of 6.2 are of Redis 6.0.
    let cluster = quick(ClusterSpec::modelled(3, v("6.2.18-70")));
    let stage = set(StageSpec::new(cluster, &[v("7.8.6-36")])).await;
    let finding = blocked_by(&stage, &plan(&stage, "7.8.6-36"), "database-versions");
    assert!(finding["saw"].as_str().unwrap().contains("Redis 6.0"), "{finding:#}");
    assert!(finding["remedy"].as_str().unwrap().starts_with("rladmin upgrade db db:"), "{finding:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_in_the_plan_the_journal_and_the_report_and_a_promise_never_is() {
    let stage = set(small()).await;
    let own = stage.dir.join("own.toml");
    fs::write(
        &own,
        "schema = 1\n[[advisory]]\nid = \"our-freeze\"\ntitle = \"the year's end\"\nrules = [\"OPS-1\"]\nseverity = \"block\"\n\
         when = { fact = \"nodes\", at_least = 1 }\nwhy = \"nobody is here\"\nremedy = \"wait\"\nsource = \"the handbook\"\n",
    )
    .unwrap();
    let configuration = fs::read_to_string(stage.configuration()).unwrap();
    fs::write(stage.configuration(), format!("advisories = {own:?}\n{configuration}")).unwrap();

    blocked_by(&stage, &plan(&stage, TO), "our-freeze");
    let promise =
        ratchet(&stage, &["upgrade", "orders", "--to", TO, "--yes", "--accept", "health=it is fine"]);
    assert_eq!(promise.code, 2, "{promise:?}");
    assert!(promise.err.contains("promise P4"), "{promise:?}");
    let why = ratchet(&stage, &["why", "our-freeze"]);
    assert!(why.out.contains("the year's end") && why.out.contains("--accept our-freeze="), "{why:?}");

    let accept = "our-freeze=the change board agreed";
    let said = ratchet(&stage, &["-o", "json", "upgrade", "orders", "--to", TO, "--yes", "--accept", accept]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    let run = only_run(&stage);
    let report = ratchet(&stage, &["report", &run, "--format", "json"]).json();
    assert_eq!(report["plan"]["accepted"][0]["reason"], "the change board agreed");
    assert_eq!(report["run"]["accepted"][0]["id"], "our-freeze");
    let events = ratchet(&stage, &["show", &run, "--events"]).out;
    assert!(events.contains("accepting our-freeze (the change board agreed)"), "{events}");
    let text = ratchet(&stage, &["report", &run]).out;
    assert!(text.contains("| our-freeze | the change board agreed |"), "{text}");
    let page = ratchet(&stage, &["report", &run, "--format", "html"]).out;
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<td>our-freeze</td>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_table_of_paths_is_shown_by_its_digest_and_a_broken_one_is_refused_by_name() {
    let stage = set(small()).await;
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../coordinator/data/upgrade-paths.toml");
    let newer = stage.dir.join("newer.toml");
    let text = fs::read_to_string(vendor).unwrap();
    fs::write(&newer, format!("{text}\n# newer\n")).unwrap();
    let of = |args: &[&str]| ratchet(&stage, args);
    let built_in = of(&["-o", "json", "plan", "orders", "--to", TO]).json();
    let own = of(&["-o", "json", "--paths", newer.to_str().unwrap(), "plan", "orders", "--to", TO]).json();
    let digest = proto::Sha256::of(&fs::read(&newer).unwrap()).to_string();
    assert_eq!(own["plan"]["table_digest"], digest);
    assert_ne!(built_in["plan"]["table_digest"], digest);
    fs::write(&newer, format!("{text}\n[[path]]\nfrom = \"nonsense\"\n")).unwrap();
    let broken = of(&["--paths", newer.to_str().unwrap(), "plan", "orders", "--to", TO]);
    assert_eq!(broken.code, 2, "{broken:?}");
    assert!(broken.err.contains("newer.toml"), "{broken:?}");
    assert_eq!(upgrade(&stage).code, 0);
}
