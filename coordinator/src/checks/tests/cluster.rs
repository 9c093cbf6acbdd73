use proto::{Claim, Epoch, Failure, Health, NodeRole, NodeUid, Probe, StepInFlight, StepKind};

use super::{Case, Verdict, World, spoil_each, worst};
use crate::snapshot::sample::noon;

const BAD: fn(&str) -> Health = |text| Health::NotOk(text.to_owned());

#[test]
fn who_belongs_to_the_cluster() {
    let cases: &[Case] = &[
        ("membership", Verdict::CannotTell, |world| {
            world.snapshot.agents[1].answer = Err(Failure::retry("unreachable", "no answer"));
        }),
        ("membership", Verdict::Block, |world| drop(world.snapshot.agents.pop())),
        ("membership", Verdict::CannotTell, |world| {
            world.snapshot.facts(1).node_uid = Probe::Unknown("no node.id".to_owned());
            let uid = NodeUid(2);
            world.snapshot.every_view(|view| view.nodes.retain(|row| row.uid != uid));
        }),
        ("membership", Verdict::Block, |world| world.snapshot.facts(1).node_uid = Probe::Known(NodeUid(1))),
        ("membership", Verdict::Block, |world| world.snapshot.facts(2).node_uid = Probe::Known(NodeUid(9))),
        ("membership", Verdict::Block, |world| drop(world.snapshot.view(0).nodes.pop())),
        ("one-cluster", Verdict::Block, |world| drop(world.snapshot.view(0).nodes.pop())),
        ("one-cluster", Verdict::Block, |world| {
            world.snapshot.view(2).nodes[0].address = "198.51.100.1".to_owned()
        }),
        ("one-cluster", Verdict::Block, |world| world.snapshot.view(2).nodes[1].hostname = "x2".to_owned()),
        ("one-cluster", Verdict::Block, |world| {
            world.snapshot.facts(2).cluster_name = Probe::Known("other.local".to_owned());
        }),
        ("one-cluster", Verdict::Block, |world| world.snapshot.view(2).local = NodeUid(1)),
        ("one-cluster", Verdict::Block, |world| {
            let row = world.snapshot.view(0).nodes[0].clone();
            world.snapshot.every_view(|view| view.nodes.push(row.clone()));
        }),
        ("one-cluster", Verdict::CannotTell, |world| {
            world.snapshot.facts(0).view = Probe::Unknown("garbage".to_owned());
        }),
    ];
    spoil_each(cases);
}

#[test]
fn a_cluster_that_does_not_tell_its_name_is_judged_by_its_members() {
    let mut world = World::new();
    (0..3).for_each(|index| world.snapshot.facts(index).cluster_name = Probe::Unsupported("none".to_owned()));
    assert_eq!(worst(&world.preflight(), "one-cluster").verdict, Verdict::Pass);
}

#[test]
fn who_is_the_master() {
    let cases: &[Case] = &[
        ("master", Verdict::CannotTell, |world| world.snapshot.view(1).master = Some(NodeUid(2))),
        ("master", Verdict::CannotTell, |world| {
            world.snapshot.view(1).nodes[1].role = Some(NodeRole::Master);
        }),
        ("master", Verdict::CannotTell, |world| world.snapshot.view(2).nodes[0].role = None),
        ("master", Verdict::CannotTell, |world| {
            let view = world.snapshot.view(2);
            view.master = None;
            view.nodes[0].role = Some(NodeRole::Replica);
            view.nodes[2].role = Some(NodeRole::Master);
        }),
        ("master", Verdict::CannotTell, |world| {
            world.snapshot.agents[2].answer = Err(Failure::retry("unreachable", "no answer"));
        }),
    ];
    spoil_each(cases);
}

#[test]
fn how_the_cluster_is() {
    let cases: &[Case] = &[
        ("health", Verdict::Block, |world| world.snapshot.view(2).shards[0].status = BAD("DOWN")),
        ("health", Verdict::Block, |world| world.snapshot.view(2).shards[1].status = BAD("loading")),
        ("health", Verdict::Block, |world| world.snapshot.view(0).shards[1].watchdog = BAD("SYNCING")),
        ("health", Verdict::Block, |world| {
            world.snapshot.view(1).nodes[2].status = BAD("DOWN, last seen 33s ago")
        }),
        ("health", Verdict::Block, |world| world.snapshot.view(1).endpoints[0].watchdog = Health::NotShown),
        ("health", Verdict::Block, |world| {
            world.snapshot.view(1).databases[0].status = BAD("active-change-pending")
        }),
        ("health", Verdict::Block, |world| {
            world.snapshot.view(0).databases[0].exec_state = Some("SMUpgradeBDB".to_owned());
        }),
        ("health", Verdict::Block, |world| world.snapshot.view(0).shards.clear()),
        ("health", Verdict::CannotTell, |world| {
            world.snapshot.facts(0).view = Probe::Unknown("timed out".to_owned());
        }),
        ("health", Verdict::CannotTell, |world| {
            world.snapshot.agents[0].answer = Err(Failure::retry("unreachable", "no answer"));
        }),
        ("maintenance", Verdict::Block, |world| {
            let name = "maintenance_mode_2026-06-01_10-00-00".to_owned();
            world.snapshot.facts(1).snapshots = Probe::Known(vec![name]);
        }),
        ("maintenance", Verdict::Block, |world| world.snapshot.view(2).nodes[0].max_shards = Some(0)),
        ("maintenance", Verdict::Warn, |world| {
            world.snapshot.facts(1).snapshots = Probe::Unsupported("no such command".to_owned());
        }),
        ("maintenance", Verdict::CannotTell, |world| {
            world.snapshot.facts(1).snapshots = Probe::Unknown("timed out".to_owned());
        }),
        ("actions", Verdict::Block, |world| {
            world.snapshot.facts(0).running_actions =
                Probe::Known(vec!["1) Task: maintenance_on".to_owned()]);
        }),
        ("actions", Verdict::CannotTell, |world| {
            world.snapshot.facts(2).running_actions = Probe::Unsupported("no such command".to_owned());
        }),
        ("upgrade-mode", Verdict::Warn, |world| world.snapshot.facts(0).upgrade_mode = Probe::Known(true)),
        ("upgrade-mode", Verdict::Pass, |world| {
            world.snapshot.facts(0).upgrade_mode = Probe::Unsupported("not printed".to_owned());
        }),
        ("upgrade-mode", Verdict::Warn, |world| {
            world.snapshot.facts(0).upgrade_mode = Probe::Unknown("timed out".to_owned());
        }),
    ];
    for (index, case) in cases.iter().enumerate() {
        if case.1 != Verdict::Pass {
            spoil_each(&cases[index..=index]);
        }
    }
}

#[test]
fn a_problem_all_nodes_see_is_told_once_and_one_only_some_see_with_its_witness() {
    let mut world = World::new();
    world.snapshot.every_view(|view| view.shards[0].status = BAD("DOWN"));
    world.snapshot.view(2).nodes[1].status = BAD("DOWN");
    let findings = world.preflight();
    let health: Vec<_> = findings.iter().filter(|finding| finding.check == "health").collect();
    assert_eq!(health.len(), 2, "{health:#?}");
    assert_eq!(health[0].node, Some(NodeUid(2)));
    assert!(health[0].saw.contains("192.0.2.3:7443"), "{}", health[0]);
    assert!(health[1].saw.contains("redis:1") && health[1].saw.contains("every node"), "{}", health[1]);
}

#[test]
fn who_holds_the_nodes() {
    let claim = |run: &str| Claim {
        run: run.parse().unwrap(),
        cluster: "orders".parse().unwrap(),
        epoch: Epoch(1),
        holder: "ann@ops1".to_owned(),
        since: noon(),
    };
    let mut world = World::new();
    world.snapshot.facts(1).claim = Some(claim("r1"));
    let findings = world.preflight();
    let finding = worst(&findings, "claim");
    assert_eq!((finding.verdict, finding.node), (Verdict::Block, Some(NodeUid(2))));
    assert!(finding.saw.contains("ann@ops1") && finding.saw.contains("r1"), "{finding}");

    world.run = Some("r2".parse().unwrap());
    assert!(world.gate().is_err(), "another run's claim");
    (0..3).for_each(|index| world.snapshot.facts(index).claim = Some(claim("r2")));
    world.gate().unwrap();
    world.snapshot.facts(2).claim = None;
    assert!(world.gate().is_err(), "its own claim is gone");
}

#[test]
fn an_agent_at_work_is_not_disturbed() {
    let cases: &[Case] = &[("idle", Verdict::Block, |world| {
        let step = StepInFlight {
            step: "r.h0.n1.install.a1".parse().unwrap(),
            kind: StepKind::Install,
            since: noon(),
        };
        world.snapshot.facts(2).current_step = Some(step);
    })];
    spoil_each(cases);
}

#[test]
fn how_many_nodes_stay_up() {
    let verdict = |nodes: u32, down: usize| {
        let mut world = World::of(nodes);
        world.snapshot.view(0).nodes.iter_mut().rev().take(down).for_each(|row| row.status = BAD("DOWN"));
        worst(&world.preflight(), "quorum").verdict
    };
    let healthy =
        [(1, Verdict::Warn), (2, Verdict::Warn), (3, Verdict::Pass), (4, Verdict::Warn), (5, Verdict::Pass)];
    for (nodes, expected) in healthy {
        assert_eq!(verdict(nodes, 0), expected, "{nodes}");
    }
    for (nodes, down) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2)] {
        assert_eq!(verdict(nodes, down), Verdict::Block, "{nodes} with {down} down");
    }
    assert_eq!(verdict(5, 1), Verdict::Pass, "health refuses it, but not the majority");
    assert_eq!(worst(&World::of(35).preflight(), "node-count").verdict, Verdict::Pass);
    assert_eq!(worst(&World::of(36).preflight(), "node-count").verdict, Verdict::Warn);
}
