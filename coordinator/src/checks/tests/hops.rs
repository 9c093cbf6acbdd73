//! What depends on where an upgrade comes from and where it goes.

use proto::{Arch, Fact, Probe};

use super::spoils::listener;
use super::{Verdict, World, worst};

fn support(from: &str, to: &[&str], os: &str, arch: Arch) -> Verdict {
    worst(&World::upgrading(from, to).on(os, arch).preflight(), "os-support").verdict
}

#[test]
fn every_version_on_the_way_must_be_supported_where_the_nodes_are() {
    let cases: &[(&str, &[&str], &str, Verdict)] = &[
        ("7.4.2-54", &["7.4.6-22"], "bionic", Verdict::Pass),
        ("7.4.2-54", &["7.8.2-34"], "bionic", Verdict::Block),
        ("7.2.4-52", &["7.4.2-54"], "rhel7", Verdict::Block),
        ("7.4.2-54", &["7.4.6-22"], "rhel7", Verdict::Block),
        ("7.22.0-95", &["8.2.0-46"], "amzn2", Verdict::Block),
        ("7.22.0-95", &["8.0.20-96"], "amzn2", Verdict::Pass),
        ("6.2.10-90", &["7.8.2-34", "8.2.0-46"], "focal", Verdict::Pass),
        ("6.2.4-1", &["7.2.4-52", "8.2.0-46"], "rhel7", Verdict::Block),
        ("7.4.2-54", &["7.4.6-22"], "noble", Verdict::Block),
        // The node runs a release that is not listed there already.
        ("7.4.2-54", &["7.4.6-22"], "jammy", Verdict::Warn),
        ("7.4.2-54", &["7.8.4-66"], "jammy", Verdict::Pass),
        ("5.6.0-30", &["6.0.20-69"], "rhel7", Verdict::Warn),
    ];
    for (from, to, os, expected) in cases {
        assert_eq!(support(from, to, os, Arch::Amd64), *expected, "{from} {to:?} {os}");
    }
    assert_eq!(support("7.22.0-95", &["8.2.0-46"], "jammy", Arch::Arm64), Verdict::Pass);
    assert_eq!(support("7.22.0-95", &["8.2.0-46"], "focal", Arch::Arm64), Verdict::Block);
}

#[test]
fn an_unsupported_system_is_named_with_the_version_and_the_way_out() {
    let findings = World::upgrading("7.4.2-54", &["7.8.2-34"]).on("bionic", Arch::Amd64).preflight();
    let finding = worst(&findings, "os-support");
    assert!(finding.saw.contains("7.8.2-34") && finding.saw.contains("bionic/amd64"), "{finding}");
    assert!(finding.saw.contains("node:1, node:2, node:3"), "{finding}");
    assert!(finding.remedy.as_deref().unwrap_or_default().contains("operating system"), "{finding:?}");
}

#[test]
fn what_a_node_does_not_tell_of_its_system_is_not_supported() {
    for spoil in [
        |facts: &mut proto::NodeFacts| facts.os = Probe::Unknown("x".to_owned()),
        |facts: &mut proto::NodeFacts| facts.arch = Probe::Unknown("x".to_owned()),
        |facts: &mut proto::NodeFacts| facts.installed = Probe::Unknown("x".to_owned()),
    ] {
        let mut world = World::new();
        spoil(world.snapshot.facts(1));
        assert_eq!(worst(&world.preflight(), "os-support").verdict, Verdict::CannotTell);
    }
}

#[test]
fn fips_mode_is_a_platform_of_its_own() {
    let verdict = |from: &str, to: &str, fips: Option<bool>| {
        let mut world = World::upgrading(from, &[to]).on("rhel9", Arch::Amd64);
        match fips {
            Some(on) => (0..3).for_each(|index| world.tell(index, Fact::Fips, proto::FactValue::Flag(on))),
            None => world.forget(Fact::Fips),
        }
        worst(&world.preflight(), "os-support").verdict
    };
    assert_eq!(verdict("7.4.2-54", "7.4.6-22", Some(false)), Verdict::Pass);
    assert_eq!(verdict("7.4.2-54", "7.4.6-22", Some(true)), Verdict::Warn);
    assert_eq!(verdict("7.4.2-54", "7.4.6-22", None), Verdict::Warn);
    assert_eq!(verdict("7.8.2-34", "7.22.0-95", Some(true)), Verdict::Pass);
    assert_eq!(verdict("7.8.2-34", "7.22.0-95", None), Verdict::Pass);
}

fn ports(from: &str, to: &[&str], protocol: &str, port: &str) -> Verdict {
    let mut world = World::upgrading(from, to);
    world.tell(1, Fact::Listeners, listener(protocol, port, "grafana"));
    worst(&world.preflight(), "reserved-ports").verdict
}

#[test]
fn ports_are_reserved_by_the_versions_that_bring_them() {
    let cases: &[(&str, &[&str], &str, Verdict)] = &[
        ("7.4.2-54", &["7.8.2-34"], "9091", Verdict::Block),
        ("7.4.2-54", &["7.8.2-34"], "3346", Verdict::Pass),
        ("7.4.2-54", &["7.22.0-95"], "3346", Verdict::Block),
        ("7.4.2-54", &["7.22.0-95"], "3350", Verdict::Block),
        ("7.8.2-34", &["7.22.0-95"], "3350", Verdict::Pass),
        ("7.4.2-54", &["7.4.6-22"], "9091", Verdict::Pass),
        ("7.22.0-95", &["8.0.18-23"], "3357", Verdict::Block),
        ("7.22.0-95", &["8.0.20-19"], "3357", Verdict::Block),
        ("7.22.0-95", &["8.0.20-44"], "3357", Verdict::Pass),
        ("6.2.10-90", &["7.8.2-34", "7.22.0-95"], "3351", Verdict::Block),
    ];
    for (from, to, port, expected) in cases {
        assert_eq!(ports(from, to, "tcp", port), *expected, "{from} {to:?} {port}");
        assert_eq!(ports(from, to, "udp", port), Verdict::Pass, "{from} {to:?} {port}");
    }
}

#[test]
fn who_has_a_reserved_port_is_named_and_the_product_may() {
    let mut world = World::upgrading("7.4.2-54", &["7.22.0-95"]);
    world.tell(1, Fact::Listeners, listener("tcp", "9091", "prometheus"));
    let findings = world.preflight();
    let finding = worst(&findings, "reserved-ports");
    assert_eq!(finding.node, Some(proto::NodeUid(2)));
    assert!(finding.saw.contains("9091") && finding.saw.contains("prometheus"), "{finding}");
    world.cell(Fact::Listeners, "product", "yes");
    assert_eq!(worst(&world.preflight(), "reserved-ports").verdict, Verdict::Pass);
    world.rows(Fact::Listeners, |rows| rows.iter_mut().for_each(|row| drop(row.remove("product"))));
    assert_eq!(
        worst(&world.preflight(), "reserved-ports").verdict,
        Verdict::Block,
        "nobody knows whose it is"
    );
}

#[test]
fn ports_without_owners_are_better_than_none_and_neither_is_no_answer() {
    let mut world = World::upgrading("7.4.2-54", &["7.22.0-95"]);
    world.forget(Fact::Listeners);
    assert_eq!(worst(&world.preflight(), "reserved-ports").verdict, Verdict::Pass);
    world.snapshot.facts(1).system.listening_ports = Probe::Known(vec![9443, 9125]);
    let findings = world.preflight();
    let finding = worst(&findings, "reserved-ports");
    assert_eq!(finding.verdict, Verdict::Block);
    assert!(finding.saw.contains("9125"), "{finding}");
    world.snapshot.facts(1).system.listening_ports = Probe::Unknown("no /proc".to_owned());
    assert_eq!(worst(&world.preflight(), "reserved-ports").verdict, Verdict::CannotTell);
}

#[test]
fn eight_gigabytes_are_asked_for_from_8_0_2_on() {
    let verdict = |to: &str, bytes: Option<u64>| {
        let mut world = World::upgrading("7.4.2-54", &[to]);
        let memory = bytes.map_or(Probe::Unknown("x".to_owned()), Probe::Known);
        world.snapshot.facts(1).system.memory_total = memory;
        worst(&world.preflight(), "memory").verdict
    };
    assert_eq!(verdict("8.0.2-17", Some(4 << 30)), Verdict::Warn);
    assert_eq!(verdict("8.0.2-17", None), Verdict::Warn);
    assert_eq!(verdict("8.0.2-17", Some(8 << 30)), Verdict::Pass);
    assert_eq!(verdict("7.22.0-95", Some(4 << 30)), Verdict::Pass);
}

/// Redis 6.0 on 6.2.x, on the way to 7.8.
fn policy(from: &str, to: &[&str], policy: Option<&str>) -> (Verdict, String) {
    let mut world = World::upgrading(from, to);
    world.snapshot.every_view(|view| view.databases[0].redis_version = Some("6.0.16".to_owned()));
    for fact in [Fact::ClusterPolicy, Fact::ClusterInfo] {
        match policy {
            Some(policy) => world.cell(fact, "redis_upgrade_policy", policy),
            None => world.forget(fact),
        }
    }
    let findings = world.preflight();
    let finding = worst(&findings, "redis-upgrade-policy");
    (finding.verdict, format!("{finding} {}", finding.remedy.as_deref().unwrap_or_default()))
}

#[test]
fn redis_6_0_leaves_6_2_with_the_policy_latest_only() {
    let (verdict, text) = policy("6.2.10-90", &["7.8.2-34"], Some("major"));
    assert_eq!(verdict, Verdict::Block, "{text}");
    assert!(text.contains("db:1 (db1)") && text.contains("redis_upgrade_policy latest"), "{text}");
    assert_eq!(policy("6.2.10-90", &["7.8.2-34"], Some("latest")).0, Verdict::Pass);
    assert_eq!(policy("6.2.10-90", &["7.8.2-34"], None).0, Verdict::CannotTell);
    assert_eq!(policy("6.2.10-90", &["7.4.2-54"], Some("major")).0, Verdict::Pass);
    assert_eq!(policy("7.4.2-54", &["7.8.2-34"], Some("major")).0, Verdict::Pass);
    assert_eq!(policy("6.0.8-28", &["6.2.10-90", "7.8.2-34"], Some("major")).0, Verdict::Warn);
}

#[test]
fn the_command_for_an_old_database_names_a_version_that_both_bring() {
    for (from, to, expected) in [
        ("6.2.10-90", "7.8.2-34", "rladmin upgrade db db:1 preserve_roles redis_version 6.2"),
        ("7.4.2-54", "7.8.2-34", "rladmin upgrade db db:1 preserve_roles"),
    ] {
        let mut world = World::upgrading(from, &[to]);
        world.snapshot.every_view(|view| view.databases[0].redis_version = Some("6.0.16".to_owned()));
        let findings = world.preflight();
        assert_eq!(worst(&findings, "database-versions").remedy.as_deref(), Some(expected), "{from}");
    }
}
