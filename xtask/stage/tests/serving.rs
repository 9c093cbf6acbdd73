//! Two coordinators as services on one store: one is killed in the middle, the other goes on (promises P6, P7).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use common::service::Service;
use common::{TO, install_of, installs, ratchet, set, small, spawn, versions, with_faults};

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_that_leads_is_killed_and_the_other_goes_on() {
    let stage = set(with_faults(small(), "on install of master nth 1: takes 2500 ms")).await;
    let (first, second) = (Service::start(&stage, "first"), Service::start(&stage, "second"));
    let both = format!("{},{}", first.address, second.address);
    let upgrade =
        ["-o", "json", "--coordinator", &both, "upgrade", "orders", "--to", TO, "--yes", "--detach"];
    let master = stage.cluster.master().unwrap();
    let begun = ratchet(&stage, &upgrade);
    assert_eq!(begun.code, 0, "{begun:?}");
    let run = begun.json()["id"].as_str().unwrap().to_owned();
    let waiting = spawn(&stage, &["-o", "json", "--coordinator", &both, "wait", &run]);
    install_of(&stage, master).await;
    assert_eq!(
        ratchet(&stage, &upgrade).json()["id"],
        run.as_str(),
        "the same request twice is the same run"
    );
    let (leader, standby) = if first.leads(&stage) { (first, second) } else { (second, first) };
    assert!(!standby.leads(&stage));
    drop(leader);
    let ended = waiting.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(versions(&stage), [TO; 3]);
    assert!(standby.leads(&stage));
}
