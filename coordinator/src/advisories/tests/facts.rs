//! The named facts themselves.

use std::collections::BTreeSet;

use proto::{Fact, FactValue, Probe, Row};

use super::snapshots::world;
use crate::advisories::Value;
use crate::advisories::facts::{ALL, NamedFact, Scope, find};
use crate::advisories::place::{Database, Listed, Place, databases, nodes};
use crate::snapshot::Snapshot;

/// A fact of a snapshot, of its first node and its first database.
fn told(snapshot: &Snapshot, fact: &NamedFact) -> Result<Option<Value>, String> {
    let node = nodes(snapshot, super::version("9.9.9-9")).into_iter().next();
    let database = (fact.scope == Scope::Database).then(|| databases(snapshot)[0]);
    let listed = Listed::of(snapshot);
    fact.look_up(&Place { snapshot, node, database, listed: Some(&listed) })
}

fn told_by(snapshot: &Snapshot, id: &str) -> Result<Option<Value>, String> {
    told(snapshot, find(id).unwrap())
}

fn with(fact: Fact, cells: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = world();
    let row: Row = cells.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    for index in 0..3 {
        snapshot.facts(index).details.0.insert(fact, Probe::Known(FactValue::Rows(vec![row.clone()])));
    }
    snapshot
}

#[test]
fn every_fact_is_told_of_a_healthy_cluster_and_is_of_its_kind() {
    let ids: BTreeSet<&str> = ALL.iter().map(|fact| fact.id).collect();
    assert_eq!(ids.len(), ALL.len());
    // There is no Active-Active database, and no such policy in what `proto::sample` tells.
    let not_there = ["active-active.protocol", "active-active.featureset", "automatic-node-offload"];
    for fact in ALL {
        assert!(!fact.title.is_empty(), "{}", fact.id);
        match told(&world(), fact) {
            Ok(Some(value)) => assert_eq!(value.kind(), fact.kind, "{}", fact.id),
            other => assert!(other.is_err() && not_there.contains(&fact.id), "{}: {other:?}", fact.id),
        }
    }
}

#[test]
fn what_cannot_be_read_is_not_known() {
    for (id, snapshot) in [
        ("ldap", with(Fact::Ldap, &[("control_plane", "maybe"), ("data_plane", "false")])),
        ("ldap", with(Fact::Ldap, &[("control_plane", "false")])),
        ("ldap.or-filter", with(Fact::Ldap, &[("control_plane", "true"), ("dn_group_attr", "groups")])),
        ("ldap.active-directory", with(Fact::Ldap, &[("data_plane", "true"), ("uris", "ldap://a:389")])),
        ("active-active", with(Fact::Databases, &[("uid", "1"), ("crdt", "true")])),
        ("active-active", with(Fact::ActiveActive, &[("guid", "g")])),
        ("active-active.protocol", with(Fact::ActiveActive, &[("guid", "g"), ("protocol_version", "one")])),
        ("tls.lowest", with(Fact::Cluster, &[("min_control_TLS_version", "1.2")])),
        (
            "tls.lowest",
            with(Fact::Cluster, &[("min_control_TLS_version", "TLS"), ("min_data_TLS_version", "1.2")]),
        ),
        ("ciphers.old", with(Fact::Cluster, &[("control_cipher_suites", "HIGH")])),
        ("parallel-shards-upgrade", with(Fact::ClusterPolicy, &[("parallel_shards_upgrade", "2")])),
        (
            "proxy-certificate-comments",
            with(Fact::Certificates, &[("file", "/etc/opt/redislabs/proxy_cert.pem")]),
        ),
        ("proxy-certificate-comments", with(Fact::Certificates, &[("comments", "no")])),
        (
            "proxy-certificate-comments",
            with(Fact::Certificates, &[("file", "/etc/opt/redislabs/api_cert.pem"), ("comments", "no")]),
        ),
        ("services-down", with(Fact::Services, &[("service", "node_wd")])),
        ("modules", with(Fact::Modules, &[("id", "1")])),
        ("database.auto-tiering", with(Fact::Databases, &[("uid", "1")])),
        ("os-id", with(Fact::OsRelease, &[("VERSION_ID", "9")])),
    ] {
        let told = told_by(&snapshot, id);
        assert!(told.as_ref().is_err_and(|reason| !reason.is_empty()), "{id}: {told:?}");
    }
}

#[test]
fn a_database_that_does_not_tell_leaves_active_active_open() {
    let mut snapshot = with(Fact::Databases, &[("uid", "1")]);
    assert_eq!(told_by(&snapshot, "active-active"), Ok(Some(Value::Flag(false))), "the other list is empty");
    for index in 0..3 {
        snapshot.facts(index).details.0.remove(&Fact::ActiveActive);
    }
    assert!(told_by(&snapshot, "active-active").is_err());
}

#[test]
fn modules_are_known_from_either_source() {
    let none = with(Fact::Databases, &[("uid", "1")]);
    assert_eq!(told_by(&none, "database.modules"), Ok(Some(Value::Set(BTreeSet::new()))));
    let mut neither = none;
    for index in 0..3 {
        neither.facts(index).details.0.remove(&Fact::DatabaseModules);
    }
    assert!(told_by(&neither, "database.modules").is_err());
}

#[test]
fn old_ciphers_count_where_they_are_let_in_and_not_where_they_are_taken_out() {
    let old = |control: &str, data: &str| {
        let cells = [("control_cipher_suites", control), ("data_cipher_list", data)];
        told_by(&with(Fact::Cluster, &cells), "ciphers.old").unwrap().unwrap().to_string()
    };
    let usual = "HIGH:!3DES:!aDH";
    let no = old(usual, usual);
    assert_eq!(old("ECDHE-RSA-AES128-GCM-SHA256", "HIGH:-RC4:!3des"), no);
    for list in ["HIGH:RC4", "ECDHE-RSA-RC4-SHA", "AES128-SHA,DES-CBC3-SHA", "HIGH 3DES", "high:rc4-md5"] {
        assert_ne!(old(usual, list), no, "{list}");
        assert_ne!(old(list, usual), no, "{list}");
    }
}

#[test]
fn the_lowest_tls_version_counts() {
    let tls = |cells: &[(&str, &str)]| told_by(&with(Fact::Cluster, cells), "tls.lowest").unwrap().unwrap();
    let both = [("min_control_TLS_version", "1.3"), ("min_data_TLS_version", "1.2")];
    assert_eq!(tls(&both).to_string(), "1.2");
    let sentinel = [both[0], both[1], ("min_sentinel_TLS_version", "1")];
    assert_eq!(tls(&sentinel).to_string(), "1");
}

#[test]
fn openssl_is_read_from_what_it_says() {
    for (said, version) in [
        ("OpenSSL 3.0.7 1 Nov 2022 (Library: OpenSSL 3.0.7 1 Nov 2022)", Some("3.0.7")),
        ("OpenSSL 1.0.2k-fips  26 Jan 2017", Some("1.0.2")),
        ("OpenSSL 1.1.1k  FIPS 25 Mar 2021", Some("1.1.1")),
        ("OpenSSL 3.3.0 9 Apr 2024", Some("3.3")),
        ("OpenSSL", None),
        ("OpenSSL three", None),
        ("LibreSSL 3.3.6", None),
        ("", None),
    ] {
        let mut snapshot = world();
        snapshot.facts(0).system.openssl = Probe::Known(said.to_owned());
        let told = told_by(&snapshot, "openssl").ok().flatten().map(|value| value.to_string());
        assert_eq!(told.as_deref(), version, "{said}");
    }
}

#[test]
fn where_there_is_no_database_its_facts_are_nothing_and_where_nobody_looked_they_are_open() {
    let mut snapshot = world();
    snapshot.every_view(|view| view.databases.clear());
    for index in 0..3 {
        snapshot.facts(index).details.0.remove(&Fact::Databases);
    }
    assert_eq!(databases(&snapshot), [Database::None]);
    assert_eq!(told_by(&snapshot, "database.active-active"), Ok(None));
    for index in 0..3 {
        snapshot.facts(index).view = Probe::Unknown("gone".to_owned());
    }
    assert_eq!(databases(&snapshot), [Database::Unknown]);
    assert!(told_by(&snapshot, "database.active-active").is_err());
}

#[test]
fn an_or_without_parentheses_around_it_is_an_or() {
    for (filter, is_or) in [
        ("(|(cn=%u)(uid=%u))", true),
        ("(&(cn=%u)( | (a=1)(b=2)))", true),
        ("|(cn=%u)(uid=%u)", true),
        ("(cn=%u)", false),
        ("(cn=a|b)", false),
    ] {
        let cells = [
            ("control_plane", "true"),
            ("data_plane", "false"),
            ("user_dn_query.filter", filter),
            ("dn_group_attr", "groups"),
        ];
        assert_eq!(
            told_by(&with(Fact::Ldap, &cells), "ldap.or-filter"),
            Ok(Some(Value::Flag(is_or))),
            "{filter}"
        );
    }
}

#[test]
fn a_database_without_a_uid_may_be_any() {
    let mut snapshot = with(Fact::Databases, &[("name", "carts")]);
    snapshot.every_view(|view| view.databases.clear());
    assert_eq!(databases(&snapshot), [Database::Unknown]);
    let mut odd = with(Fact::Databases, &[("uid", "one")]);
    assert_eq!(databases(&odd), [Database::Uid(1), Database::Unknown], "the view shows the first");
    odd.every_view(|view| view.databases.clear());
    assert_eq!(databases(&odd), [Database::Unknown]);
}

#[test]
fn an_upgrade_by_itself_is_told_by_the_api_alone() {
    let told = |cells: &[(&str, &str)]| told_by(&with(Fact::Databases, cells), "database.auto-upgrade");
    assert_eq!(told(&[("uid", "1"), ("auto_upgrade", "true")]), Ok(Some(Value::Flag(true))));
    assert_eq!(told(&[("uid", "1"), ("auto_upgrade", "false")]), Ok(Some(Value::Flag(false))));
    assert!(told(&[("uid", "1")]).is_err());
}

#[test]
fn one_of_several_is_enough() {
    let mut snapshot =
        with(Fact::Cluster, &[("min_control_TLS_version", "1"), ("min_data_TLS_version", "1.2")]);
    let rows: Vec<Row> = ["false", "true"]
        .map(|crdt| {
            Row::from([("uid".to_owned(), crdt.len().to_string()), ("crdt".to_owned(), crdt.to_owned())])
        })
        .to_vec();
    for index in 0..3 {
        let facts = snapshot.facts(index);
        facts.details.0.insert(Fact::Databases, Probe::Known(FactValue::Rows(rows.clone())));
        facts.details.0.remove(&Fact::ActiveActive);
        let Probe::Known(at) = &mut facts.installation else { panic!() };
        at.var_dir = "/srv/redis".to_owned();
    }
    assert_eq!(told_by(&snapshot, "tls.lowest").unwrap().unwrap().to_string(), "1");
    assert_eq!(told_by(&snapshot, "active-active"), Ok(Some(Value::Flag(true))));
    assert_eq!(told_by(&snapshot, "custom-directories"), Ok(Some(Value::Flag(true))));
}
