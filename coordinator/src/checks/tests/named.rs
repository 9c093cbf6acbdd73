//! How facts that are asked for by name are read: once, fail closed, and with the words people need.

use proto::{Fact, FactValue, NodeUid, Probe};

use super::spoils::grace;
use super::{Stage, Verdict, World, row, worst};
use crate::checks::ALL;

#[test]
fn what_all_nodes_have_in_common_is_said_once_with_their_names() {
    let mut world = World::new();
    world.every_agent(|facts| facts.system.swap_total = Probe::Known(1 << 30));
    let findings = world.preflight();
    let swap: Vec<_> = findings.iter().filter(|finding| finding.check == "swap").collect();
    assert_eq!(swap.len(), 1, "{swap:#?}");
    assert_eq!(swap[0].saw, "it has 1024 MiB of swap (node:1, node:2, node:3)");
}

#[test]
fn one_agent_that_knows_is_enough_for_what_is_of_the_cluster() {
    let mut world = World::new();
    for index in 0..2 {
        let unknown = Probe::Unknown("no credential".to_owned());
        world.snapshot.facts(index).details.0.insert(Fact::Licence, unknown);
    }
    assert_eq!(worst(&world.preflight(), "licence").verdict, Verdict::Pass);
}

#[test]
fn agents_that_contradict_each_other_are_not_believed() {
    let mut world = World::new();
    let licence = row(&[("expired", "false"), ("expiration_date", "2028-06-01T00:00:00Z")]);
    world.tell(2, Fact::Licence, FactValue::Rows(vec![licence]));
    let findings = world.preflight();
    let finding = worst(&findings, "licence");
    assert_eq!(finding.verdict, Verdict::Warn);
    assert!(finding.saw.starts_with("cannot tell") && finding.saw.contains("contradict"), "{finding}");
}

/// Agents' clocks tell nanoseconds, and so does the product; nobody wants to read them.
#[test]
fn moments_are_told_to_the_second() {
    let mut world = World::new();
    world.cell(Fact::Licence, "expiration_date", "2026-06-15T00:00:00.123456789Z");
    let saw = worst(&world.preflight(), "licence").saw.clone();
    assert!(saw.contains("expires on 2026-06-15T00:00:00Z"), "{saw}");
}

#[test]
fn what_comes_and_goes_counts_if_any_agent_saw_it() {
    let mut world = World::new();
    let action = row(&[("name", "import_bdb"), ("status", "running"), ("object", "bdb:1")]);
    world.tell(1, Fact::Actions, FactValue::Rows(vec![action]));
    let findings = world.preflight();
    let finding = worst(&findings, "background-work");
    assert_eq!(finding.verdict, Verdict::Block, "{finding}");
    assert!(finding.saw.contains("import_bdb on bdb:1"), "{finding}");
    world.cell(Fact::HealthReport, "certificate:api.expired", "false");
    let report = row(&[("certificate:api.expired", "true")]);
    world.tell(2, Fact::HealthReport, FactValue::Rows(vec![report]));
    assert_eq!(worst(&world.preflight(), "certificates").verdict, Verdict::Warn);
}

#[test]
fn without_a_credential_each_check_says_so_once_and_none_blocks() {
    let mut world = World::new();
    let rest = [
        Fact::Cluster,
        Fact::ClusterPolicy,
        Fact::Ldap,
        Fact::Licence,
        Fact::Databases,
        Fact::ActiveActive,
        Fact::Alerts,
        Fact::Actions,
        Fact::HealthReport,
    ];
    rest.iter().for_each(|fact| world.forget(*fact));
    let findings = world.preflight();
    assert!(findings.iter().all(|finding| !finding.verdict.blocks()), "{findings:#?}");
    for check in [
        "background-work",
        "alerts",
        "licence",
        "certificates",
        "backup",
        "auto-upgrade",
        "active-active-order",
        "maintenance",
    ] {
        let of_check: Vec<_> = findings.iter().filter(|finding| finding.check == check).collect();
        assert_eq!(of_check.len(), 1, "{of_check:#?}");
        assert_ne!(of_check[0].verdict, Verdict::Pass, "{}", of_check[0]);
        assert!(of_check[0].remedy.as_deref().unwrap_or_default().contains("[rest]"), "{:?}", of_check[0]);
    }
}

#[test]
fn a_product_without_a_health_report_is_not_suspected() {
    let mut world = World::new();
    world.every_agent(|facts| {
        facts.details.0.insert(Fact::HealthReport, Probe::Unsupported("404".to_owned()));
    });
    let findings = world.preflight();
    for check in ["maintenance", "certificates"] {
        assert_eq!(worst(&findings, check).verdict, Verdict::Pass);
    }
}

/// A stand-in: another root directory, an agent that is not root, and only the tools that checks cannot do without.
#[test]
fn a_bare_stand_in_is_not_kept_from_an_upgrade() {
    for (from, to) in [("7.4.2-54", "7.4.6-22"), ("7.4.2-54", "7.22.0-95"), ("7.4.2-54", "8.2.0-46")] {
        let mut world = World::upgrading(from, &[to]).on("jammy", proto::Arch::Amd64);
        Fact::ALL.iter().for_each(|fact| world.forget(*fact));
        for index in 0..3 {
            world.tell(index, Fact::Root, FactValue::Text("/tmp/stand-in".to_owned()));
            world.tell(index, Fact::EffectiveUser, FactValue::Number(1000));
            world.tell(index, Fact::Umask, FactValue::Text("0022".to_owned()));
            world.tell(index, Fact::Orchestrator, FactValue::Text("none".to_owned()));
            let facts = world.snapshot.facts(index);
            facts.settings.clear();
            facts.snapshots = Probe::Unsupported("no such command".to_owned());
            facts.upgrade_mode = Probe::Unsupported("no such command".to_owned());
        }
        let findings = world.preflight();
        let blocking: Vec<_> = findings.iter().filter(|finding| finding.verdict.blocks()).collect();
        assert!(blocking.is_empty(), "{to}: {blocking:#?}");
    }
}

#[test]
fn a_gate_asks_for_nothing_by_name() {
    let mut world = World::new();
    world.every_agent(|facts| facts.details.0.clear());
    let cleared = world.gate().unwrap();
    assert!(
        cleared.findings().iter().all(|finding| finding.verdict == Verdict::Pass),
        "{:#?}",
        cleared.findings()
    );
}

#[test]
fn the_shortest_grace_period_of_several_counts() {
    let mut world = World::new();
    grace(&mut world, 1800);
    assert_eq!(worst(&world.preflight(), "replica-ha").verdict, Verdict::Pass);
    world.cell(Fact::ClusterPolicy, "slave_ha_grace_period", "300");
    let findings = world.preflight();
    assert!(worst(&findings, "replica-ha").saw.contains("300 s"), "{}", worst(&findings, "replica-ha"));
    world.every_agent(|facts| facts.settings.clear());
    world.forget(Fact::ClusterInfo);
    world.forget(Fact::ClusterPolicy);
    assert!(worst(&world.preflight(), "replica-ha").saw.starts_with("cannot tell"));
}

#[test]
fn a_quorum_only_node_needs_somebodys_word_at_a_gate() {
    let mut world = World::new();
    world.snapshot.every_view(|view| view.nodes[2].max_shards = Some(0));
    let blocked = worst(&world.preflight(), "maintenance").verdict;
    assert_eq!(blocked, Verdict::Block, "it may be in maintenance mode");
    world.cell(Fact::NodeInfo, "quorum only", "enabled");
    world.forget(Fact::HealthReport);
    let findings = world.preflight();
    assert!(findings.iter().all(|finding| !finding.blocks()), "{findings:#?}");

    world.snapshot.facts(2).snapshots = Probe::Known(vec!["maintenance_mode_x".to_owned()]);
    assert_eq!(worst(&world.preflight(), "maintenance").verdict, Verdict::Block, "its snapshot says more");
    world.snapshot.facts(2).snapshots = Probe::Known(Vec::new());

    world.every_agent(|facts| facts.details.0.clear());
    assert!(world.gate().is_err(), "nobody asked what it is");
    let accepted = ["maintenance=node 3 is quorum-only".parse().unwrap()];
    let stage = Stage::Gate { node: NodeUid(1), to: world.target };
    let context = crate::checks::Context { accepted: &accepted, ..world.context(stage) };
    crate::checks::gate(&context).unwrap();
}

#[test]
fn a_stand_in_root_needs_no_privileges_and_its_name_is_not_guessed() {
    let mut world = World::new();
    world.tell(1, Fact::EffectiveUser, FactValue::Number(1000));
    world.tell(1, Fact::Root, FactValue::Text("/tmp/c".to_owned()));
    assert_eq!(worst(&world.preflight(), "privileges").verdict, Verdict::Pass);
    world.forget(Fact::Root);
    assert_eq!(worst(&world.preflight(), "privileges").verdict, Verdict::CannotTell);
}

/// The order people read them in: who and where, whether it may be done at all, how things are, what to do it with, what
/// it does to databases, what else to know.
#[test]
fn the_checks_are_in_reading_order() {
    let place = |id: &str| ALL.iter().position(|check| check.id == id).unwrap();
    let order = [
        "membership",
        "path",
        "health",
        "os-support",
        "package",
        "disk",
        "database-versions",
        "quorum",
        "clocks",
    ];
    assert!(order.map(place).is_sorted());
}
