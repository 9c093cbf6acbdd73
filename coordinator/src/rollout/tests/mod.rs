//! Tests of rollouts, and what they share.

mod calendar;
mod docs;
mod file;
mod histories;
mod machine;
mod speed;
mod stops;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proto::ClusterName;

use super::*;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn name(text: &str) -> ClusterName {
    text.parse().unwrap()
}

pub(super) fn names(list: &[&str]) -> Vec<ClusterName> {
    list.iter().map(|text| name(text)).collect()
}

pub(super) fn fleet(list: &[&str]) -> Vec<FleetCluster> {
    list.iter().map(|text| FleetCluster { name: name(text), labels: BTreeMap::new() }).collect()
}

/// A wave of one cluster at a time, without budget, soak or approval.
pub(super) fn wave(name: &str, clusters: Vec<Selector>) -> Wave {
    let name = name.to_owned();
    Wave { name, clusters, at_once: 1, failure_budget: 0, soak: Duration::ZERO, approval: false }
}

/// A rollout of these waves, with as many clusters at a time as each wave wants.
pub(super) fn spec(waves: Vec<Wave>) -> Spec {
    Spec {
        name: "q4".parse().unwrap(),
        target: "7.22.0-95".parse().unwrap(),
        waves,
        at_once: 100,
        failure_budget: 0,
        on_failure: Siblings::FinishTurn,
        windows: Windows::default(),
        turn_estimate: Duration::from_secs(1800),
        partners: None,
        accept: Vec::new(),
    }
}
