use proto::{Fact, FactValue, Probe};

use super::*;
use crate::snapshot::Snapshot;
use crate::snapshot::sample::healthy;

fn rows(snapshot: &mut Snapshot, index: usize, fact: Fact) -> &mut Vec<proto::Row> {
    match snapshot.facts(index).details.0.get_mut(&fact) {
        Some(Probe::Known(FactValue::Rows(rows))) => rows,
        other => panic!("{other:?}"),
    }
}

/// Sets a cell as every agent tells it.
fn set(snapshot: &mut Snapshot, fact: Fact, key: &str, value: &str) {
    for index in 0..snapshot.agents.len() {
        rows(snapshot, index, fact)[0].insert(key.to_owned(), value.to_owned());
    }
}

fn changes(before: &Snapshot, after: &Snapshot, own: &[String]) -> Vec<String> {
    match compare(&read(before).fingerprint, &read(after), own) {
        Comparison::Changed(changes) => changes.iter().map(ToString::to_string).collect(),
        Comparison::Same => Vec::new(),
        Comparison::CannotTell(unread) => panic!("{unread:?}"),
    }
}

#[test]
fn nothing_changes_by_itself() {
    let (before, mut after) = (healthy(3), healthy(3));
    after.install(1, proto::Version::new(7, 4, 6, 22));
    set(&mut after, Fact::ClusterInfo, "upgrade mode", "enabled");
    set(&mut after, Fact::ClusterInfo, "default_provisioned_redis_version", "7.4");
    set(&mut after, Fact::ClusterInfo, "a_key_of_the_newer_version", "on");
    after.every_view(|view| view.databases[0].redis_version = Some("7.4.0".to_owned()));
    assert_eq!(changes(&before, &after, &[]), [""; 0]);
}

#[test]
fn every_kind_of_change_is_told_with_both_values() {
    let (before, mut after) = (healthy(3), healthy(3));
    set(&mut after, Fact::ClusterInfo, "slave_ha_grace_period", "900");
    set(&mut after, Fact::ClusterInfo, "redis_upgrade_policy", "latest");
    set(&mut after, Fact::ClusterInfo, "parallel_shards_upgrade", "4");
    set(&mut after, Fact::DatabaseInfo, "maxclients", "5");
    rows(&mut after, 1, Fact::NodeInfo)[0].insert("max redis servers".to_owned(), "50".to_owned());
    after.every_view(|view| {
        let mut second = view.databases[0].clone();
        second.uid = 2;
        second.name = "db2".to_owned();
        view.databases.push(second);
        view.databases[0].replicated = Some(false);
    });
    assert_eq!(
        changes(&before, &after, &[]),
        [
            "cluster: parallel_shards_upgrade: `0` → `4`",
            "cluster: redis_upgrade_policy: `major` → `latest`",
            "cluster: slave_ha_grace_period: `600` → `900`",
            "db:1: maxclients: `10000` → `5`",
            "db:1: replication: `true` → `false`",
            "node:2: max redis servers: `100` → `50`",
            "db:2 (`db2`) is new",
        ]
    );
    assert_eq!(changes(&after, &before, &[]).last().unwrap(), "node:2: max redis servers: `50` → `100`");
    assert!(
        changes(&after, &before, &[])
            .contains(&"db:2 (`db2`) is gone, or cannot be read any more".to_owned())
    );
}

#[test]
fn what_the_run_changed_itself_is_no_foreign_change() {
    let (before, mut after) = (healthy(3), healthy(3));
    set(&mut after, Fact::ClusterInfo, "slave_ha_grace_period", "3600");
    assert_eq!(changes(&before, &after, &["cluster: slave_ha_grace_period".to_owned()]), [""; 0]);
}

#[test]
fn what_cannot_be_read_any_more_is_not_the_same() {
    for fact in FACTS {
        let (before, mut after) = (healthy(3), healthy(3));
        (0..3).for_each(|index| {
            after.facts(index).details.0.insert(fact, Probe::Unknown("it hangs".to_owned()));
        });
        let comparison = compare(&read(&before).fingerprint, &read(&after), &[]);
        assert!(matches!(comparison, Comparison::CannotTell(_)), "{fact}: {comparison:?}");
    }
    let (before, mut after) = (healthy(3), healthy(3));
    rows(&mut after, 1, Fact::ClusterInfo)[0].insert("cnm_https_port".to_owned(), "1".to_owned());
    let comparison = compare(&read(&before).fingerprint, &read(&after), &[]);
    let Comparison::CannotTell(unread) = comparison else { panic!("{comparison:?}") };
    assert!(unread[0].1.contains("different values: `9443` and `1`"), "{unread:?}");
}

#[test]
fn what_was_never_known_cannot_change() {
    let (mut before, mut after) = (healthy(3), healthy(3));
    for index in 0..3 {
        before.facts(index).details.0.clear();
        after.facts(index).details.0.clear();
    }
    assert_eq!(changes(&before, &after, &[]), [""; 0]);
    let known_since = healthy(3);
    assert_eq!(changes(&before, &known_since, &[]), [""; 0]);
}

#[test]
fn a_database_that_is_gone_is_told_even_where_nothing_else_can_be_read() {
    let (mut before, mut after) = (healthy(3), healthy(3));
    for index in 0..3 {
        before.facts(index).details.0.clear();
        after.facts(index).details.0.clear();
    }
    after.every_view(|view| view.databases.clear());
    assert_eq!(changes(&before, &after, &[]), ["db:1 (`db1`) is gone, or cannot be read any more"]);
    for index in 0..3 {
        after.facts(index).view = Probe::Unknown("no view".to_owned());
    }
    let comparison = compare(&read(&before).fingerprint, &read(&after), &[]);
    assert!(matches!(comparison, Comparison::CannotTell(_)), "{comparison:?}");
}

#[test]
fn an_acknowledged_change_holds_from_then_on() {
    let (before, mut after) = (healthy(3), healthy(3));
    set(&mut after, Fact::ClusterInfo, "slave_ha_grace_period", "900");
    after.every_view(|view| view.databases.clear());
    for index in 0..3 {
        rows(&mut after, index, Fact::DatabaseInfo).clear();
    }
    let fingerprint = read(&before).fingerprint;
    let Comparison::Changed(changes) = compare(&fingerprint, &read(&after), &[]) else { panic!() };
    assert_eq!(compare(&fingerprint.with(&changes), &read(&after), &[]), Comparison::Same);
}
