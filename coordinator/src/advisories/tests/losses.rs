//! Whatever is lost of what agents say, nothing stops applying.

use std::collections::BTreeSet;

use proto::{Fact, FactValue, NodeFacts, Probe};

use super::snapshots::{every, installed, on, set, world};
use super::{vendor, version};
use crate::advisories::Applies;
use crate::snapshot::Snapshot;

/// Ways to lose a fact, at every agent at once and at each alone.
fn losses(snapshot: &Snapshot) -> Vec<(String, Snapshot)> {
    let gone = || "gone".to_owned();
    let mut out = Vec::new();
    let mut lose = |name: String, change: &dyn Fn(&mut NodeFacts)| {
        out.push((format!("{name} everywhere"), every(snapshot.clone(), change)));
        for index in 0..snapshot.agents.len() {
            let mut one = snapshot.clone();
            change(one.facts(index));
            out.push((format!("{name} at {index}"), one));
        }
    };
    for fact in Fact::ALL {
        lose(format!("{fact} unknown"), &|facts| {
            facts.details.0.insert(*fact, Probe::Unknown(gone()));
        });
        lose(format!("{fact} not asked"), &|facts| {
            facts.details.0.remove(fact);
        });
        for key in keys(snapshot, *fact) {
            lose(format!("{fact} without {key}"), &|facts| remove_cell(facts, *fact, &key));
        }
    }
    lose("os".to_owned(), &|facts| facts.os = Probe::Unknown(gone()));
    lose("arch".to_owned(), &|facts| facts.arch = Probe::Unknown(gone()));
    lose("openssl".to_owned(), &|facts| facts.system.openssl = Probe::Unknown(gone()));
    lose("memory".to_owned(), &|facts| facts.system.memory_total = Probe::Unknown(gone()));
    lose("installation".to_owned(), &|facts| facts.installation = Probe::Unknown(gone()));
    lose("installed".to_owned(), &|facts| facts.installed = Probe::Unknown(gone()));
    lose("view".to_owned(), &|facts| facts.view = Probe::Unknown(gone()));
    lose("uid".to_owned(), &|facts| facts.node_uid = Probe::Unknown(gone()));
    for index in 0..snapshot.agents.len() {
        let mut one = snapshot.clone();
        one.agents[index].answer = Err(proto::Failure::retry("unreachable", "no answer"));
        out.push((format!("agent {index}"), one));
    }
    out
}

fn keys(snapshot: &Snapshot, fact: Fact) -> BTreeSet<String> {
    let rows = snapshot.answered().filter_map(|(_, facts)| facts.details.rows(fact).ok()).flatten();
    rows.flat_map(|row| row.keys().cloned()).collect()
}

fn remove_cell(facts: &mut NodeFacts, fact: Fact, key: &str) {
    if let Some(Probe::Known(FactValue::Rows(rows))) = facts.details.0.get_mut(&fact) {
        rows.iter_mut().for_each(|row| drop(row.remove(key)));
    }
}

/// A cluster that as many advisories as possible apply to.
fn troubled() -> Snapshot {
    let mut snapshot = set(
        on("rhel9", "OpenSSL 3.0.7"),
        Fact::Ldap,
        &[
            ("control_plane", "true"),
            ("user_dn_query.filter", "cn=%u"),
            ("dn_group_query.filter", "(|(memberOf=%D)(owner=%D))"),
        ],
    );
    for (fact, cells) in [
        (
            Fact::Databases,
            &[
                ("crdt", "true"),
                ("bigstore", "true"),
                ("module_list", "search,ours"),
                ("auto_upgrade", "true"),
            ] as &[_],
        ),
        (Fact::ActiveActive, &[("guid", "g"), ("protocol_version", "0"), ("featureset_version", "0")]),
        (Fact::DatabaseModules, &[("database", "1"), ("module", "RediSearch 2")]),
        (Fact::Modules, &[("module", "RedisGraph")]),
        (Fact::ClusterPolicy, &[("parallel_shards_upgrade", "2"), ("automatic_node_offload", "true")]),
        (Fact::ClusterInfo, &[("parallel_shards_upgrade", "2")]),
        (Fact::Cluster, &[("min_data_TLS_version", "1")]),
        (Fact::Certificates, &[("comments", "yes")]),
        (Fact::OsRelease, &[("ID", "rocky")]),
    ] {
        snapshot = set(snapshot, fact, cells);
    }
    every(snapshot, |facts| {
        let Probe::Known(installation) = &mut facts.installation else { panic!() };
        installation.install_dir = "/redis".to_owned();
        facts.install_args.push("--skip-dns-port-verification".to_owned());
        facts
            .details
            .0
            .insert(Fact::CircularLinks, Probe::Known(FactValue::Lines(vec!["/redis/a".to_owned()])));
    })
}

#[test]
fn no_lost_fact_makes_an_advisory_not_apply() {
    let advisories = vendor();
    let hops = [
        ("7.4.2-54", "8.0.16-33"),
        ("7.4.2-54", "8.0.10-64"),
        ("7.2.4-52", "7.4.2-104"),
        ("6.4.2-30", "7.2.4-52"),
        ("6.0.8-28", "6.2.8-39"),
        ("6.2.18-43", "6.4.2-30"),
        ("5.2.2-14", "5.4.6-18"),
    ];
    let mut kept = BTreeSet::new();
    for base in [troubled(), world()] {
        for (from, to) in hops {
            let base = installed(base.clone(), from);
            let judge =
                |snapshot: &Snapshot, it| advisories.verdict(it, snapshot, version(from), version(to));
            let stand: Vec<_> =
                advisories.all().iter().filter(|it| judge(&base, it) != Applies::No).collect();
            kept.extend(stand.iter().map(|it| it.id.as_str()));
            for (name, lost) in losses(&base) {
                for advisory in &stand {
                    let after = judge(&lost, advisory);
                    assert_ne!(after, Applies::No, "{}: {from} → {to} without {name}", advisory.id);
                }
            }
        }
    }
    assert!(kept.len() > 35, "{kept:?}");
}
