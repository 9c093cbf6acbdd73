use proto::{FactValue, Probe};

use super::*;
use crate::snapshot::sample::healthy;

fn row(cells: &[(&str, &str)]) -> Row {
    cells.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A snapshot in which every agent tells these rows.
fn told(facts: &[(Fact, Vec<Row>)]) -> Snapshot {
    let mut snapshot = healthy(3);
    for index in 0..3 {
        for (fact, rows) in facts {
            let value = Probe::Known(FactValue::Rows(rows.clone()));
            snapshot.facts(index).details.0.insert(*fact, value);
        }
    }
    snapshot
}

fn seen(own: &str, with: &[&str]) -> PartnerSight {
    PartnerSight {
        own: Some(own.to_owned()),
        with: with.iter().map(|name| (*name).to_owned()).collect(),
        ..PartnerSight::default()
    }
}

#[test]
fn a_cluster_without_replication_has_no_partner() {
    let sight = sight(&healthy(3));
    assert_eq!(sight, seen("cluster.local", &[]));
}

#[test]
fn both_kinds_of_partners_are_seen_in_small_letters() {
    let snapshot = told(&[
        (Fact::ActiveActive, vec![row(&[("guid", "g"), ("clusters", "Cluster.local,EU.example.com")])]),
        (Fact::Databases, vec![row(&[("uid", "1"), ("replica_sources", "redis-1.us.Example.com")])]),
    ]);
    let expected = seen("cluster.local", &["cluster.local", "eu.example.com", "redis-1.us.example.com"]);
    assert_eq!(sight(&snapshot), expected);
}

#[test]
fn who_replicates_and_does_not_tell_with_whom_is_unclear() {
    let crdt = row(&[("uid", "1"), ("crdt", "true")]);
    let cases: [Vec<(Fact, Vec<Row>)>; 5] = [
        vec![(Fact::ActiveActive, vec![row(&[("guid", "g")])])],
        vec![(Fact::Databases, vec![crdt.clone()])],
        vec![(Fact::Databases, vec![row(&[("uid", "1"), ("replica_sync", "enabled")])])],
        vec![(Fact::Databases, vec![row(&[("uid", "1"), ("sync", "paused")])])],
        vec![(Fact::Databases, vec![row(&[("uid", "1"), ("replica_sources", "")])])],
    ];
    for facts in cases {
        assert!(sight(&told(&facts)).unclear.is_some(), "{facts:?}");
    }
    let quiet = row(&[("uid", "1"), ("crdt", "false"), ("sync", "disabled"), ("replica_sync", "disabled")]);
    assert_eq!(sight(&told(&[(Fact::Databases, vec![quiet])])).unclear, None);
    let mut snapshot = told(&[(Fact::Databases, vec![crdt])]);
    for index in 0..3 {
        snapshot.facts(index).details.0.remove(&Fact::ActiveActive);
    }
    assert!(sight(&snapshot).unclear.is_some(), "nobody was asked for the list of them");
}

#[test]
fn one_agent_that_knows_is_enough_and_none_is_unknown() {
    let mut snapshot = told(&[(Fact::ActiveActive, vec![row(&[("guid", "g"), ("clusters", "eu")])])]);
    for index in 0..2 {
        snapshot.facts(index).details.0.clear();
    }
    let one = sight(&snapshot);
    assert_eq!((one.unclear, one.unknown, one.with.len()), (None, None, 1));
    snapshot.facts(2).details.0.clear();
    let none = sight(&snapshot);
    assert!(none.unknown.is_some() && none.unclear.is_none() && none.own.is_none(), "{none:?}");
    snapshot.agents.clear();
    assert!(sight(&snapshot).unknown.is_some());
}

#[test]
fn names_become_pairs_in_both_directions_and_strangers_do_not() {
    let name = |text: &str| text.parse::<ClusterName>().unwrap();
    let sights = BTreeMap::from([
        (name("a"), seen("a.example.com", &["a.example.com", "b.example.com", "elsewhere.org"])),
        (name("b"), seen("b.example.com", &[])),
        (name("c"), seen("c.example.com", &["redis-1.internal.a.example.com"])),
        (name("d"), seen("d.example.com", &["10.0.0.1"])),
        (name("e"), PartnerSight { unclear: Some("?".to_owned()), ..PartnerSight::default() }),
    ]);
    let found = partners(Some(&[BTreeSet::from([name("d"), name("x")])]), &sights);
    let pair = |one: &str, other: &str| found.pairs.contains(&(name(one), name(other)));
    for (one, other) in [("a", "b"), ("c", "a"), ("d", "x")] {
        assert!(pair(one, other) && pair(other, one), "{one} {other}");
    }
    assert_eq!(found.pairs.len(), 6);
    assert_eq!(found.unclear, BTreeSet::from([name("d"), name("e")]));
}

#[test]
fn clusters_of_one_full_name_are_all_meant() {
    let name = |text: &str| text.parse::<ClusterName>().unwrap();
    let sights = BTreeMap::from([
        (name("a"), seen("same", &[])),
        (name("b"), seen("same", &[])),
        (name("c"), seen("c", &["same"])),
    ]);
    assert_eq!(partners(Some(&[]), &sights).pairs.len(), 4);
}

#[test]
fn whom_nobody_has_looked_at_is_not_seen() {
    let name = |text: &str| text.parse::<ClusterName>().unwrap();
    let sights = BTreeMap::from([(name("a"), PartnerSight::default())]);
    let found = partners(Some(&[]), &sights).of_fleet(&[name("a"), name("b")], &sights);
    assert_eq!((found.unseen, found.unclear.len()), (BTreeSet::from([name("b")]), 0));
}

#[test]
fn an_unknown_sight_is_unclear_where_nobody_has_named_any() {
    let name = |text: &str| text.parse::<ClusterName>().unwrap();
    let unknown = PartnerSight { unknown: Some("no credential".to_owned()), ..PartnerSight::default() };
    let sights = BTreeMap::from([(name("a"), unknown), (name("b"), PartnerSight::default())]);
    assert_eq!(partners(None, &sights).unclear, BTreeSet::from([name("a")]));
    assert!(partners(Some(&[]), &sights).unclear.is_empty());
}
