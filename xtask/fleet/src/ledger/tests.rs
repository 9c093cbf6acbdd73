//! The ledger sees what it is there for.

use super::*;
use crate::spec::FleetSpec;

const TARGET: Version = Version::new(7, 22, 0, 95);

fn cluster(number: u32) -> SimCluster {
    SimCluster::new(number, &FleetSpec { partners: vec![(1, 2)], ..FleetSpec::new(3, 3) })
}

fn begin(ledger: &Ledger, cluster: &SimCluster, node: u32, step: &str, epoch: u64, halted: bool) {
    let (run, step) = ("r".parse().unwrap(), step.parse().unwrap());
    let (node, epoch) = (NodeUid(node), Epoch(epoch));
    let install = Install { cluster, node, run: &run, step: &step, epoch, target: TARGET, halted };
    ledger.began(install, Timestamp::UNIX_EPOCH);
}

fn end(ledger: &Ledger, cluster: &SimCluster, node: u32, step: &str) {
    let (run, step) = ("r".parse().unwrap(), step.parse().unwrap());
    let (node, epoch) = (NodeUid(node), Epoch(1));
    cluster.upgraded(node, TARGET);
    let install = Install { cluster, node, run: &run, step: &step, epoch, target: TARGET, halted: false };
    ledger.ended(install, Timestamp::UNIX_EPOCH, true);
}

fn broken(ledger: &Ledger) -> Vec<&'static str> {
    ledger.violations().iter().map(|violation| violation.promise).collect()
}

#[test]
fn one_node_after_the_other_with_the_master_first_breaks_nothing() {
    let (ledger, cluster) = (Ledger::default(), cluster(0));
    for node in 1..=3 {
        let step = format!("s{node}");
        begin(&ledger, &cluster, node, &step, 1, false);
        end(&ledger, &cluster, node, &step);
    }
    assert_eq!(broken(&ledger), [""; 0]);
    assert_eq!(ledger.entries().len(), 6);
    assert_eq!(ledger.installs(&cluster.name, NodeUid(2)), 1);
}

#[test]
fn two_at_a_time_and_a_replica_before_its_master_are_seen() {
    let (ledger, cluster) = (Ledger::default(), cluster(0));
    begin(&ledger, &cluster, 1, "a", 1, false);
    begin(&ledger, &cluster, 2, "b", 1, false);
    assert_eq!(broken(&ledger), ["P1", "P2"]);
}

#[test]
fn a_second_install_of_a_node_is_seen_and_so_is_one_on_a_halted_node_or_at_an_old_epoch() {
    let (ledger, cluster) = (Ledger::default(), cluster(0));
    begin(&ledger, &cluster, 1, "a", 2, false);
    end(&ledger, &cluster, 1, "a");
    begin(&ledger, &cluster, 1, "b", 2, false);
    assert_eq!(broken(&ledger), ["P6"]);
    end(&ledger, &cluster, 1, "b");
    begin(&ledger, &cluster, 2, "c", 1, true);
    assert_eq!(broken(&ledger), ["P6", "P8", "halt"]);
}

#[test]
fn partners_that_are_held_together_are_seen() {
    let (ledger, one, two) = (Ledger::default(), cluster(1), cluster(2));
    ledger.claimed(&one, NodeUid(1), Timestamp::UNIX_EPOCH);
    ledger.released(&one, NodeUid(1));
    ledger.claimed(&two, NodeUid(1), Timestamp::UNIX_EPOCH);
    assert_eq!(broken(&ledger), [""; 0]);
    ledger.claimed(&one, NodeUid(1), Timestamp::UNIX_EPOCH);
    assert_eq!(broken(&ledger), ["partners"]);
}
