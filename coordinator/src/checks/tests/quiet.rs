//! What is said of a healthy cluster of which everything is known: every line must be something to act on.

use proto::{Arch, DiskUse, Fact, Probe, Room};

use super::{Verdict, World, row, worst};
use crate::advisories::Advisories;
use crate::checks::{Finding, Stage};
use crate::paths::find_path;

/// Everything that checks and advisories say before a plan, but for passes.
fn told(world: &World) -> Vec<Finding> {
    let packages: Vec<_> = world.catalogue.iter().map(|entry| entry.package.clone()).collect();
    let path = find_path(&world.table, world.from, world.target, &packages);
    let stage = Stage::Preflight { target: world.target, path: Some(&path) };
    let mut findings = world.ask(stage);
    findings.extend(Advisories::vendor().unwrap().findings(&world.context(stage)));
    findings.retain(|finding| finding.verdict != Verdict::Pass);
    findings
}

#[test]
fn a_healthy_cluster_is_told_little_and_each_line_has_something_to_do() {
    let run = ["endpoints-while-mixed", "node-mgr-fatal", "processes-stay"];
    let timeout = ["endpoints-while-mixed", "node-mgr-fatal", "restart-times-out", "processes-stay"];
    let cases: [(&str, &str, &[&str]); 5] = [
        ("7.4.2-54", "7.4.6-22", &timeout),
        ("7.4.6-22", "7.22.0-95", &run),
        ("7.22.0-95", "8.0.20-96", &[]),
        ("6.2.18-70", "7.4.6-22", &[&["external-users-removed"][..], &timeout].concat()),
        ("8.0.20-96", "8.2.0-46", &["end-of-life", "changes-of-8.2"]),
    ];
    for (from, to, expected) in cases {
        for (os, somaxconn) in [("focal", "1024"), ("rhel8", "4096")] {
            let mut world = World::upgrading(from, &[to]).on(os, Arch::Amd64);
            world.every_agent(|facts| facts.system.somaxconn = Probe::Known(somaxconn.to_owned()));
            let findings = told(&world);
            let ids: Vec<&str> = findings.iter().map(|finding| finding.check.as_str()).collect();
            assert_eq!(ids, expected, "{from} → {to} on {os}");
            for finding in &findings {
                let warns = finding.verdict == Verdict::Warn;
                assert!(!warns || finding.check == "external-users-removed", "{finding}");
                assert!(finding.remedy.is_some(), "{finding}");
            }
        }
    }
}

#[test]
fn a_tmp_on_the_file_system_of_the_logs_is_as_large_as_it_can_be() {
    let tmp = |bytes: u64, device: u64| {
        let mut world = World::new();
        for disk in world.snapshot.facts(1).disks.iter_mut().filter(|disk| disk.purpose == DiskUse::Tmp) {
            (disk.device, disk.room) = (device, Probe::Known(Room { free: bytes, total: bytes }));
        }
        worst(&world.preflight(), "tmp-room").verdict
    };
    assert_eq!(tmp(100 << 30, 1), Verdict::Pass, "the same file system: no size is enough for the formula");
    assert_eq!(tmp(300 << 30, 2), Verdict::Pass);
    assert_eq!(tmp(299 << 30, 2), Verdict::Info);
    assert_eq!(tmp(10 << 30, 2), Verdict::Info);
    assert_eq!(tmp(9 << 30, 2), Verdict::Warn, "less than a tenth of the logs' own");
}

#[test]
fn a_longer_queue_than_the_vendors_is_well_since_rlcheck_takes_it() {
    let verdict = |from: &str, to: &str, somaxconn: &str| {
        let mut world = World::upgrading(from, &[to]);
        world.every_agent(|facts| facts.system.somaxconn = Probe::Known(somaxconn.to_owned()));
        worst(&world.preflight(), "host-settings").verdict
    };
    assert_eq!(verdict("7.4.2-54", "7.4.6-22", "4096"), Verdict::Pass);
    assert_eq!(verdict("6.2.18-43", "7.4.6-22", "1025"), Verdict::Pass);
    assert_eq!(verdict("6.2.10-90", "7.4.6-22", "4096"), Verdict::Warn, "RS46092");
    assert_eq!(verdict("6.2.10-90", "7.4.6-22", "1024"), Verdict::Pass);
    for short in ["1023", "128", "many", ""] {
        assert_eq!(verdict("7.4.2-54", "7.4.6-22", short), Verdict::Warn, "{short}");
    }
}

fn spoiled(check: &str, spoil: impl Fn(&mut World)) -> (Verdict, String) {
    let mut world = World::new();
    spoil(&mut world);
    let findings = world.preflight();
    let finding = worst(&findings, check);
    (finding.verdict, format!("{} {}", finding.saw, finding.remedy.as_deref().unwrap_or_default()))
}

#[test]
fn a_licence_for_fewer_shards_than_there_are_is_told() {
    for (key, value) in [("shards_limit", "1"), ("shards_limit", "many")] {
        let (verdict, text) = spoiled("licence", |world| world.cell(Fact::Licence, key, value));
        assert_eq!(verdict, Verdict::Warn, "{key} {value}");
        assert!(text.contains("shards"), "{text}");
    }
    let pair = |limit: &str, used: &str| {
        spoiled("licence", |world| {
            world.cell(Fact::Licence, "ram_shards_limit", limit);
            world.cell(Fact::Licence, "ram_shards_in_use", used);
        })
        .0
    };
    assert_eq!(pair("4", "4"), Verdict::Pass);
    assert_eq!(pair("4", "5"), Verdict::Warn);
    let two = spoiled("licence", |world| world.cell(Fact::Licence, "shards_limit", "2"));
    assert_eq!(two.0, Verdict::Pass, "there are two shards");
    let untold =
        spoiled("licence", |world| world.rows(Fact::Licence, |rows| drop(rows[0].remove("shards_limit"))));
    assert_eq!(untold.0, Verdict::Warn);
}

#[test]
fn shards_that_cannot_be_counted_do_not_hide_a_licence_that_has_expired() {
    let mut world = World::new();
    world.cell(Fact::Licence, "expired", "true");
    world.cell(Fact::Licence, "shards_limit", "many");
    let findings = world.preflight();
    let of: Vec<&str> =
        findings.iter().filter(|it| it.check == "licence").map(|it| it.saw.as_str()).collect();
    assert_eq!(of.len(), 2, "{of:?}");
    assert!(of[0].contains("has expired") && of[1].starts_with("cannot tell"), "{of:?}");
}

#[test]
fn a_database_that_the_api_leaves_out_has_no_backup_that_anybody_knows_of() {
    for check in ["backup", "auto-upgrade"] {
        let (verdict, text) = spoiled(check, |world| world.rows(Fact::Databases, Vec::clear));
        assert_eq!(verdict, Verdict::Warn, "{check}");
        assert!(text.contains("cannot tell") && text.contains("db:1"), "{check}: {text}");
    }
}

#[test]
fn lists_of_active_active_databases_that_contradict_each_other_are_no_answer() {
    let (verdict, text) = spoiled("active-active-order", |world| world.cell(Fact::Databases, "crdt", "true"));
    assert_eq!(verdict, Verdict::Warn);
    assert!(text.contains("cannot tell"), "{text}");
}

#[test]
fn a_node_without_certificates_was_not_looked_at() {
    let (verdict, text) = spoiled("certificates", |world| world.rows(Fact::Certificates, Vec::clear));
    assert_eq!(verdict, Verdict::Warn);
    assert!(text.contains("cannot tell"), "{text}");
}

#[test]
fn services_that_are_stopped_are_told_in_one_line() {
    let mut world = World::new();
    world.rows(Fact::Services, |rows| {
        for service in ["pdns_server", "saslauthd"] {
            rows.push(row(&[("service", service), ("state", "STOPPED")]));
        }
    });
    let findings = world.preflight();
    let of: Vec<_> = findings.iter().filter(|finding| finding.check == "services").collect();
    assert_eq!(of.len(), 1, "{of:?}");
    assert_eq!(of[0].verdict, Verdict::Info);
    assert!(of[0].saw.contains("pdns_server, saslauthd"), "{}", of[0].saw);
}

#[test]
fn less_room_than_the_vendors_archives_want_comfortably_is_a_warning() {
    let free = |mib: u64| {
        spoiled("disk", |world| {
            for disk in &mut world.snapshot.facts(1).disks {
                if disk.purpose == DiskUse::Staging {
                    (disk.device, disk.room) =
                        (7, Probe::Known(Room { free: mib << 20, total: 10_000 << 20 }));
                }
            }
        })
        .0
    };
    // The archive of 1024 MiB and what it unpacks to, or three times its size; and a margin of 500 MiB.
    assert_eq!(free(2547), Verdict::Block);
    assert_eq!(free(2549), Verdict::Warn);
    assert_eq!(free(3571), Verdict::Warn);
    assert_eq!(free(3573), Verdict::Pass);
}

#[test]
fn of_several_answers_the_worse_counts() {
    let short = spoiled("replica-ha", |world| {
        let facts = world.snapshot.facts(0);
        drop(facts.settings.insert(proto::Setting::ReplicaHaGracePeriod, Probe::Known(60)));
    });
    assert_eq!(short.0, Verdict::Warn);
    let tight = spoiled("disk", |world| {
        for disk in world.snapshot.facts(1).disks.iter_mut().filter(|disk| disk.purpose == DiskUse::Var) {
            disk.room = Probe::Known(Room { free: 0, total: 100 << 30 });
        }
    });
    assert_eq!(tight.0, Verdict::Block);
    let clocks = spoiled("clocks", |world| {
        world.snapshot.facts(1).observed_at += jiff::SignedDuration::from_millis(5500);
    });
    assert_eq!(clocks.0, Verdict::Block);
    let quorum_only = spoiled("maintenance", |world| {
        world.snapshot.every_view(|view| view.nodes[1].max_shards = Some(0));
        world.cell(Fact::NodeInfo, "quorum only", "enabled");
    });
    assert_eq!(quorum_only.0, Verdict::Block, "the health report says otherwise");
}
