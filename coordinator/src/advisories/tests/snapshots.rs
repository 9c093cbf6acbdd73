//! Whole clusters: from what agents say to findings.

use std::collections::BTreeSet;

use proto::{Details, Fact, FactValue, NodeFacts, OperatingSystem, OsToken, Probe, Row};

use super::{vendor, version};
use crate::advisories::{Advisories, Applies};
use crate::checks::{Context, Finding, Stage, Verdict};
use crate::paths::{Hop, Status, Table, UpgradePath};
use crate::snapshot::{Snapshot, sample};

/// Three healthy nodes on Ubuntu 22.04 of which everything is known.
pub(super) fn world() -> Snapshot {
    sample::healthy(3)
}

/// What these advisories say of these hops.
pub(super) fn findings_with(
    advisories: &Advisories,
    table: &Table,
    snapshot: &Snapshot,
    hops: &[(&str, &str)],
) -> Vec<Finding> {
    let hop = |(from, to): &(&str, &str)| Hop {
        from: version(from),
        to: version(to),
        source: "s".to_owned(),
        status: Status::Current,
        inferred: false,
    };
    let path = Ok(UpgradePath { hops: hops.iter().map(hop).collect() });
    let target = version(hops.last().unwrap().1);
    let stage = Stage::Preflight { target, path: Some(&path) };
    let now = sample::noon();
    advisories.findings(&Context {
        snapshot,
        table,
        catalogue: &[],
        signed: None,
        stage,
        accepted: &[],
        run: None,
        now,
    })
}

fn findings(snapshot: &Snapshot, from: &str, to: &str) -> Vec<Finding> {
    findings_with(&vendor(), &Table::vendor().unwrap(), snapshot, &[(from, to)])
}

fn of<'a>(findings: &'a [Finding], id: &str) -> Option<&'a Finding> {
    findings.iter().find(|finding| finding.check == id)
}

pub(super) fn every(mut snapshot: Snapshot, change: impl Fn(&mut NodeFacts)) -> Snapshot {
    (0..snapshot.agents.len()).for_each(|index| change(snapshot.facts(index)));
    snapshot
}

pub(super) fn on(token: &str, openssl: &str) -> Snapshot {
    every(world(), |facts| {
        facts.os =
            Probe::Known(OperatingSystem { name: token.to_owned(), token: Some(OsToken(token.to_owned())) });
        facts.system.openssl = Probe::Known(openssl.to_owned());
    })
}

/// Sets a cell in every row of a table, on every node; a table without rows gets one.
pub(super) fn set(snapshot: Snapshot, fact: Fact, cells: &[(&str, &str)]) -> Snapshot {
    every(snapshot, |facts| {
        let Some(Probe::Known(FactValue::Rows(rows))) = facts.details.0.get_mut(&fact) else {
            panic!("{fact}")
        };
        if rows.is_empty() {
            rows.push(Row::new());
        }
        let cells = || cells.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        rows.iter_mut().for_each(|row| row.extend(cells()));
    })
}

pub(super) fn installed(snapshot: Snapshot, text: &str) -> Snapshot {
    let mut snapshot = snapshot;
    (1..=3).for_each(|uid| snapshot.install(uid, version(text)));
    snapshot
}

#[test]
fn rhel_9_with_an_old_openssl_is_blocked_half_way_to_8_0() {
    let old = on("rhel9", "OpenSSL 3.0.7 1 Nov 2022 (Library: OpenSSL 3.0.7 1 Nov 2022)");
    for to in ["8.0.16-29", "8.0.18-36", "8.0.20-68"] {
        let found = findings(&old, "7.4.2-54", to);
        let finding = of(&found, "openssl33-rhel9").unwrap();
        assert_eq!(finding.verdict, Verdict::Block, "{to}");
        assert!(finding.saw.contains("openssl is 3.0.7 on node:1, node:2, node:3"), "{}", finding.saw);
        assert!(finding.remedy.as_ref().unwrap().contains("8.0.20-96"), "{finding:?}");
    }
    for to in ["8.0.20-96", "8.2.0-46", "8.0.10-81"] {
        assert!(of(&findings(&old, "7.4.2-54", to), "openssl33-rhel9").is_none(), "{to}");
    }
    assert!(
        of(&findings(&on("rhel8", "OpenSSL 1.1.1k"), "7.4.2-54", "8.0.16-29"), "openssl33-rhel9").is_none()
    );
    let new = on("rhel9", "OpenSSL 3.3.1 4 Jun 2024");
    assert!(of(&findings(&new, "7.4.2-54", "8.0.16-29"), "openssl33-rhel9").is_none());
}

#[test]
fn one_node_is_enough_and_is_named() {
    let mut snapshot = on("rhel9", "OpenSSL 3.3.1 4 Jun 2024");
    snapshot.facts(1).system.openssl = Probe::Known("OpenSSL 3.0.7".to_owned());
    let found = findings(&snapshot, "7.4.2-54", "8.0.16-29");
    assert_eq!(of(&found, "openssl33-rhel9").unwrap().node, Some(proto::NodeUid(2)));
    // A node that the hop leaves alone is not asked.
    snapshot.install(2, version("8.0.16-29"));
    assert!(of(&findings(&snapshot, "7.4.2-54", "8.0.16-29"), "openssl33-rhel9").is_none());
}

#[test]
fn an_openssl_nobody_can_read_cannot_be_told() {
    for said in [Probe::Known("LibreSSL 3.3.6".to_owned()), Probe::Unknown("not found".to_owned())] {
        let mut snapshot = on("rhel9", "OpenSSL 3.3.1");
        snapshot.facts(2).system.openssl = said;
        let found = findings(&snapshot, "7.4.2-54", "8.0.16-29");
        let finding = of(&found, "openssl33-rhel9").unwrap();
        assert_eq!(finding.verdict, Verdict::CannotTell);
        assert!(finding.saw.contains("`openssl`"), "{}", finding.saw);
    }
}

#[test]
fn an_agent_that_is_silent_leaves_its_node_open() {
    let mut snapshot = on("rhel9", "OpenSSL 3.3.1");
    snapshot.agents[2].answer = Err(proto::Failure::retry("unreachable", "no answer"));
    let found = findings(&snapshot, "7.4.2-54", "8.0.16-29");
    assert_eq!(of(&found, "openssl33-rhel9").unwrap().verdict, Verdict::CannotTell);
}

#[test]
fn the_cluster_in_which_all_is_well_has_a_pass() {
    let found = findings(&world(), "8.0.20-96", "8.2.0-46");
    let pass = of(&found, "advisories").unwrap();
    assert_eq!(pass.verdict, Verdict::Pass);
    assert!(pass.saw.ends_with("advisories do not apply"), "{}", pass.saw);
    assert_eq!(found.len(), 2, "besides, what changes with 8.2: {found:?}");
    assert_eq!(of(&found, "changes-of-8.2").unwrap().verdict, Verdict::Info);
}

#[test]
fn facts_of_the_api_reach_their_advisories() {
    let ldap = |cells: &[(&str, &str)]| {
        set(set(world(), Fact::Ldap, &[("control_plane", "true")]), Fact::Ldap, cells)
    };
    let plain = [("user_dn_template", "cn=%u,ou=people"), ("dn_group_attr", "groups")];
    let filters = [("user_dn_query.filter", "cn=%u"), ("dn_group_query.filter", "(| (member=%D)(owner=%D))")];
    let crdt = set(world(), Fact::Databases, &[("crdt", "true"), ("module_list", "ReJSON, search")]);
    let crdt = set(
        crdt,
        Fact::ActiveActive,
        &[("guid", "g"), ("protocol_version", "1"), ("featureset_version", "0")],
    );
    let search = set(world(), Fact::ClusterInfo, &[("parallel_shards_upgrade", "all")]);
    let search = set(search, Fact::ClusterPolicy, &[("parallel_shards_upgrade", "all")]);
    let search = set(search, Fact::DatabaseModules, &[("database", "1"), ("module", "RediSearch 2")]);
    let cases: [(&str, Snapshot, &str, &str, Verdict); 13] = [
        ("ldap-ca-8.0.10", ldap(&plain), "7.4.2-54", "8.0.10-81", Verdict::Warn),
        ("ldap-filter-parens", ldap(&filters), "7.4.2-54", "8.0.10-81", Verdict::Warn),
        ("ldap-or-filter", ldap(&filters), "7.4.2-54", "8.0.18-23", Verdict::Warn),
        ("ldap-ad-8.0.16-33", ldap(&[("dn_group_attr", "MemberOf")]), "7.4.2-54", "8.0.16-33", Verdict::Warn),
        ("active-active-upgrade-stalls", crdt.clone(), "7.4.2-54", "8.0.16-33", Verdict::Info),
        ("active-active-modules-after", crdt.clone(), "7.4.2-54", "8.0.16-33", Verdict::Warn),
        ("aa-protocol-featureset", installed(crdt, "6.0.8-28"), "6.0.8-28", "6.2.4-54", Verdict::Block),
        ("parallel-shards-search-8.4", search, "7.4.2-54", "8.2.0-46", Verdict::Warn),
        ("ldap-roles-lost", ldap(&plain), "7.2.4-52", "7.2.4-154", Verdict::Warn),
        (
            "dns-flag-ignored",
            every(world(), |facts| facts.install_args.push("--skip-dns-port-verification".to_owned())),
            "7.4.2-54",
            "7.22.0-95",
            Verdict::Warn,
        ),
        (
            "deprecated-modules-8.0",
            set(world(), Fact::Modules, &[("module", "RedisGraph")]),
            "7.4.2-54",
            "8.2.0-46",
            Verdict::Warn,
        ),
        (
            "old-tls-removed",
            installed(set(world(), Fact::Cluster, &[("min_data_TLS_version", "1")]), "7.2.4-52"),
            "7.2.4-52",
            "7.4.2-54",
            Verdict::Warn,
        ),
        (
            "proxy-certificate-comments",
            installed(set(world(), Fact::Certificates, &[("comments", "yes")]), "6.0.8-28"),
            "6.0.8-28",
            "6.2.8-39",
            Verdict::Block,
        ),
    ];
    for (id, snapshot, from, to, verdict) in cases {
        let found = findings(&snapshot, from, to);
        let finding = of(&found, id).unwrap_or_else(|| panic!("{id} is not told: {found:?}"));
        assert_eq!(finding.verdict, verdict, "{id}");
        assert!(!finding.saw.starts_with("cannot tell"), "{id}: {}", finding.saw);
    }
}

#[test]
fn agents_that_contradict_each_other_leave_it_open() {
    let mut snapshot = set(world(), Fact::Ldap, &[("control_plane", "true")]);
    let of_one =
        Row::from([("control_plane", "false"), ("data_plane", "false")].map(|(k, v)| (k.into(), v.into())));
    snapshot.facts(1).details.0.insert(Fact::Ldap, Probe::Known(FactValue::Rows(vec![of_one])));
    let found = findings(&snapshot, "7.4.2-54", "8.0.10-81");
    let finding = of(&found, "ldap-ca-8.0.10").unwrap();
    assert!(finding.saw.contains("contradicts"), "{}", finding.saw);
}

#[test]
fn an_advisory_is_told_once_for_all_hops() {
    let hops = [("6.0.20-69", "7.2.4-52"), ("7.2.4-52", "7.8.4-66")];
    let snapshot = installed(world(), "6.0.20-69");
    let found = findings_with(&vendor(), &Table::vendor().unwrap(), &snapshot, &hops);
    let ids: Vec<&str> = found.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{ids:?}");
    let saw = &of(&found, "node-mgr-fatal").unwrap().saw;
    assert!(saw.starts_with("6.0.20-69 → 7.2.4-52, 7.2.4-52 → 7.8.4-66: "), "{saw}");
}

/// What bare stand-ins give: nothing that is asked for by name, and no OpenSSL.
fn bare(token: &str, from: &str) -> Snapshot {
    every(installed(on(token, "none"), from), |facts| {
        let unknown = |fact: &Fact| (*fact, Probe::Unknown("the agent does not know".to_owned()));
        facts.details = Details(Fact::ALL.iter().map(unknown).collect());
        facts.system.openssl = Probe::Unknown("no such program".to_owned());
    })
}

#[test]
fn bare_stand_ins_are_not_blocked_by_what_they_cannot_know() {
    let mut tried = 0;
    for token in ["jammy", "focal", "rhel8"] {
        for (from, to) in [
            ("7.4.2-54", "7.4.6-22"),
            ("7.4.2-54", "7.22.0-95"),
            ("7.4.2-54", "8.0.16-33"),
            ("7.4.2-54", "8.2.0-46"),
            ("6.2.4-54", "7.4.2-54"),
            ("6.2.18-70", "7.4.6-22"),
            ("6.2.18-70", "7.8.2-34"),
            ("6.0.8-28", "6.2.4-54"),
            ("6.0.20-69", "6.2.18-70"),
            ("6.0.8-28", "7.2.4-52"),
            ("6.0.20-69", "7.2.4-154"),
            ("5.6.0-30", "6.0.20-97"),
        ] {
            let found = findings(&bare(token, from), from, to);
            let blocking: Vec<&Finding> = found.iter().filter(|finding| finding.blocks()).collect();
            assert!(blocking.is_empty(), "{token} {from} → {to}: {blocking:?}");
            assert!(of(&found, "advisories").is_some(), "{token} {from} → {to}");
            tried += found.len();
        }
    }
    assert!(tried > 100, "{tried}");
    let asked = vendor().hazardous(
        &bare("jammy", "7.4.2-54"),
        version("7.4.2-54"),
        version("8.0.16-33"),
        &BTreeSet::new(),
    );
    assert!(!asked);
}

fn verdict(snapshot: &Snapshot, id: &str, from: &str, to: &str) -> Applies {
    let advisories = vendor();
    advisories.verdict(advisories.explain(id).unwrap(), snapshot, version(from), version(to))
}

#[test]
fn every_version_that_takes_part_in_a_hop_counts_and_so_does_one_that_is_not_known() {
    let crdt = set(installed(world(), "6.4.2-131"), Fact::Databases, &[("crdt", "true")]);
    let mut crdt = set(crdt, Fact::ActiveActive, &[("guid", "g")]);
    let judge =
        |snapshot: &Snapshot| verdict(snapshot, "active-active-between-versions", "6.4.2-131", "7.8.2-34");
    assert_eq!(judge(&crdt), Applies::No);
    let mut unknown = crdt.clone();
    unknown.facts(1).installed = Probe::Unknown("gone".to_owned());
    assert_ne!(judge(&unknown), Applies::No);
    crdt.install(2, version("7.2.4-52"));
    assert!(matches!(judge(&crdt), Applies::Yes { .. }), "an earlier upgrade was broken off");
}

#[test]
fn where_there_is_no_database_nothing_about_databases_applies() {
    let mut snapshot = every(world(), |facts| {
        facts.details.0.insert(Fact::Databases, Probe::Known(FactValue::Rows(Vec::new())));
    });
    snapshot.every_view(|view| view.databases.clear());
    for id in ["active-active-modules-after", "auto-tiering-to-flex", "database-upgrade-stuck"] {
        assert_eq!(verdict(&snapshot, id, "7.4.2-54", "8.0.6-54"), Applies::No, "{id}");
    }
}

#[test]
fn an_agent_without_a_node_may_be_on_one_that_counts() {
    let mut snapshot = on("rhel9", "OpenSSL 3.3.1");
    assert_eq!(verdict(&snapshot, "openssl33-rhel9", "7.4.2-54", "8.0.16-33"), Applies::No);
    let mut silent = snapshot.agents[2].clone();
    silent.answer = Err(proto::Failure::retry("unreachable", "no answer"));
    snapshot.agents.push(silent);
    assert_ne!(verdict(&snapshot, "openssl33-rhel9", "7.4.2-54", "8.0.16-33"), Applies::No);
}

#[test]
fn a_hazard_that_cannot_be_told_is_one_and_no_word_takes_a_promise_away() {
    let mut snapshot = on("rhel9", "OpenSSL 3.3.1");
    let hazardous = |advisories: &Advisories, snapshot: &Snapshot, accepted: &[&str]| {
        let accepted = accepted.iter().copied().collect();
        advisories.hazardous(snapshot, version("7.4.2-54"), version("8.0.16-33"), &accepted)
    };
    assert!(!hazardous(&vendor(), &snapshot, &[]));
    snapshot.facts(1).system.openssl = Probe::Unknown("not found".to_owned());
    assert!(hazardous(&vendor(), &snapshot, &[]));
    assert!(!hazardous(&vendor(), &snapshot, &["openssl33-rhel9"]));
    let own = "schema = 1\n[[advisory]]\nid = \"own\"\ntitle = \"t\"\nrules = [\"r\"]\nseverity = \"block\"\n\
               why = \"w\"\nremedy = \"r\"\nsource = \"s\"\n";
    let open = Advisories::parse(own).unwrap();
    assert!(!hazardous(&open, &world(), &["own"]));
    let promised = Advisories::parse(&format!("{own}promise = \"P4\"\n")).unwrap();
    assert!(hazardous(&promised, &world(), &["own"]));
}
