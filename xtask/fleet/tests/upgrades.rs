//! The real coordinator is satisfied with simulated agents, and they with it: plain upgrades, also with a coordinator
//! that is killed in their middle (promises P1, P2, P6, P7, P8).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::time::Duration;

use common::{Set, TO};
use fleet::{Deed, FleetSpec, Pace};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_cluster_is_upgraded_like_a_real_one() {
    let set = Set::new(&FleetSpec { master_moves: true, ..FleetSpec::new(2, 3) }, false).await;
    let check = set.alone(&["-o", "json", "check", "c0000", "--to", TO]);
    assert_eq!(check.code, 0, "{check:?}");
    let upgrade = set.alone(&["-o", "json", "upgrade", "c0000", "--to", TO, "--yes"]);
    assert_eq!(upgrade.code, 0, "{upgrade:?}");
    assert_eq!(set.versions("c0000"), [TO; 3]);
    assert_eq!(set.installs("c0000"), [1; 3]);
    assert_eq!(set.installs("c0001"), [0; 3], "nobody named it");
    let entries = set.fleet.ledger().entries();
    assert_eq!(entries.iter().filter(|entry| entry.deed == Deed::Upgraded).count(), 3);
    set.breaks_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_cluster_halts_its_run_and_goes_on_when_it_is_healed() {
    let set = Set::new(&FleetSpec::new(1, 3), false).await;
    set.fleet.cluster("c0000").unwrap().fail();
    let failed = set.alone(&["-o", "json", "upgrade", "c0000", "--to", TO, "--yes"]);
    assert_eq!(failed.code, 4, "{failed:?}");
    assert_eq!(set.installs("c0000"), [1, 0, 0]);
    set.fleet.cluster("c0000").unwrap().heal();
    let runs = set.alone(&["-o", "json", "runs"]).json();
    let run = runs["runs"][0]["id"].as_str().unwrap();
    let retried = set.alone(&["-o", "json", "retry", run]);
    assert_eq!(retried.code, 0, "{retried:?}");
    assert_eq!(set.installs("c0000"), [2, 1, 1], "what failed may be tried again");
    set.breaks_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ill_cluster_is_not_begun() {
    let set = Set::new(&FleetSpec::new(1, 3), false).await;
    set.fleet.cluster("c0000").unwrap().make_ill();
    let upgrade = set.alone(&["-o", "json", "upgrade", "c0000", "--to", TO, "--yes"]);
    assert_eq!(upgrade.code, 3, "{upgrade:?}");
    assert!(set.fleet.ledger().entries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_upgrades_go_on_behind_a_coordinator_that_is_killed_in_their_middle() {
    let pace = Pace { install: Duration::from_millis(300), step: Duration::ZERO };
    let set = Set::new(&FleetSpec { pace, ..FleetSpec::new(2, 3) }, false).await;
    let mut served = set.serve().await;
    let mut followers =
        ["c0000", "c0001"].map(|cluster| set.spawn(&["-o", "json", "upgrade", cluster, "--to", TO, "--yes"]));
    // Two installations of six are over or at work by then, in the one or the other cluster.
    assert!(set.lines(4, PATIENCE).await >= 4);
    served.kill().unwrap();
    let _again = set.serve().await;
    assert!(set.lines(12, PATIENCE).await >= 12, "{:#?}", set.fleet.ledger().entries());
    for (cluster, follower) in ["c0000", "c0001"].into_iter().zip(&mut followers) {
        tokio::task::block_in_place(|| follower.wait()).unwrap();
        assert_eq!(set.versions(cluster), [TO; 3]);
        assert_eq!(set.installs(cluster), [1; 3]);
    }
    set.breaks_nothing();
}
