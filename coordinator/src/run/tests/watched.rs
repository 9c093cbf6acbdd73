//! The watch over the cluster: what it takes for a breach, and what a breach stops (promise P4).

use jiff::Timestamp;
use proto::{Failure, Health, NodeUid, Probe, StepKind};

use super::world::{Fate, World, v};
use crate::run::{Action, Breach, Event, Phase, Request, StepOrder, decide, judge_watch, next};
use crate::snapshot::Snapshot;
use crate::snapshot::sample::healthy;

fn works(_: &StepOrder) -> Fate {
    Fate::Works
}

/// A run over the nodes of a healthy sample, driven until a step of this kind is due for the first time.
fn before(kind: StepKind) -> World {
    let at = healthy(3).facts(0).installed.known().unwrap().version;
    let mut world = World::new(3, &[at, v("99.0.0-1")], 1);
    loop {
        match decide(&world.run) {
            Action::Execute(order) if order.spec.kind() == kind => return world,
            _ => assert!(world.step(&mut works)),
        }
    }
}

fn breach(world: &mut World, seen_at: Timestamp) {
    let breaches =
        vec![Breach { by: NodeUid(2), subject: "node:3".to_owned(), saw: "status is DOWN".to_owned() }];
    world.append(Event::Breached { seen_at, breaches });
}

/// The intent of whatever is due.
fn intend(world: &mut World) -> StepOrder {
    let Action::Execute(order) = decide(&world.run) else { panic!("{:?}", decide(&world.run)) };
    let StepOrder { step, node, hop, spec, .. } = order.clone();
    world.append(Event::StepIntended { step, node, hop, spec });
    order
}

#[test]
fn a_breach_before_the_install_sends_the_turn_back_to_its_gate() {
    let mut world = before(StepKind::Install);
    let seen_at = world.run.updated_at;
    breach(&mut world, seen_at);
    assert_eq!(decide(&world.run), Action::Gate { hop: 0 });
    assert!(world.installs.is_empty());
}

#[test]
fn a_breach_during_the_check_lets_it_end_and_then_goes_back_to_the_gate() {
    let mut world = before(StepKind::Check);
    let order = intend(&mut world);
    let seen_at = world.run.updated_at;
    breach(&mut world, seen_at);
    assert!(
        matches!(decide(&world.run), Action::Execute(again) if again.step == order.step),
        "it is at work"
    );
    let report = proto::StepReport::Check(proto::Checked {
        rlcheck: proto::Rlcheck { passed: true, tests: Vec::new(), failures: Vec::new() },
        view: proto::sample::healthy_view(3),
    });
    let outcome = Box::new(proto::StepOutcome::Completed { report, warnings: Vec::new() });
    world.append(Event::StepEnded { step: order.step, outcome });
    assert_eq!(decide(&world.run), Action::Gate { hop: 0 });
}

#[test]
fn no_gate_passes_on_a_look_from_before_the_breach() {
    let mut world = before(StepKind::Install);
    let seen_at = world.run.updated_at;
    breach(&mut world, seen_at);
    let passed = |observed_at: Timestamp| Event::GatePassed {
        hop: 0,
        node: NodeUid(1),
        from: world.versions[&NodeUid(1)],
        role: proto::NodeRole::Master,
        master: NodeUid(1),
        observed_at,
    };
    let record = |event| {
        let last = world.records.last().unwrap();
        crate::run::Record { seq: last.seq + 1, epoch: last.epoch, at: last.at, event }
    };
    let later = seen_at.checked_add(std::time::Duration::from_millis(1)).unwrap();
    assert!(next(world.run.clone(), &record(passed(seen_at))).is_err());
    assert!(next(world.run.clone(), &record(passed(later))).is_ok());
}

#[test]
fn a_breach_during_an_install_does_not_disturb_it_and_the_run_goes_on() {
    let mut world = before(StepKind::Install);
    assert!(world.step(&mut works), "installed");
    let seen_at = world.run.updated_at;
    breach(&mut world, seen_at);
    world.gate_sees_at(seen_at.checked_add(std::time::Duration::from_secs(3600)).unwrap());
    world.drive(works);
    assert!(world.is_done(), "{:?}", world.run.phase);
}

#[test]
fn a_cluster_that_does_not_stay_healthy_halts_the_run_and_a_person_can_go_on() {
    let mut world = before(StepKind::Install);
    let mut moment = world.run.updated_at;
    for _ in 0..100 {
        if let Phase::Halted(halt) = &world.run.phase {
            assert_eq!(halt.failure.id, "cluster-unsteady");
            world.ask(Request::Resume);
            world.drive(works);
            assert!(world.is_done());
            return;
        }
        if let Action::Execute(order) = decide(&world.run)
            && order.spec.kind() == StepKind::Install
        {
            breach(&mut world, moment);
        }
        moment = moment.checked_add(std::time::Duration::from_secs(1)).unwrap();
        world.gate_sees_at(moment);
        assert!(world.step(&mut works) || matches!(world.run.phase, Phase::Halted(_)));
    }
    panic!("P12: it never halts");
}

fn sees(world: &World, spoil: impl Fn(&mut Snapshot)) -> Vec<String> {
    let mut snapshot = healthy(3);
    spoil(&mut snapshot);
    judge_watch(&world.run, &snapshot).iter().map(ToString::to_string).collect()
}

fn down(of: usize) -> impl Fn(&mut Snapshot) {
    move |snapshot| snapshot.every_view(|view| view.nodes[of].status = Health::NotOk("DOWN".to_owned()))
}

#[test]
fn before_the_install_everything_that_is_not_ok_is_a_breach() {
    let world = before(StepKind::Check);
    assert_eq!(sees(&world, |_| {}), [""; 0]);
    assert_eq!(sees(&world, down(0)), ["node:1: status is DOWN (seen by node:2)"]);
    assert_eq!(sees(&world, down(2)), ["node:3: status is DOWN (seen by node:2)"]);
}

#[test]
fn maintenance_mode_is_a_breach_and_a_quorum_only_node_is_none() {
    let world = before(StepKind::Check);
    let idle = |snapshot: &mut Snapshot| snapshot.every_view(|view| view.nodes[2].max_shards = Some(0));
    assert_eq!(sees(&world, idle), [""; 0], "it has no snapshot: it is quorum-only");
    let in_maintenance = |snapshot: &mut Snapshot| {
        snapshot.facts(2).snapshots = Probe::Known(vec!["maintenance_mode_1".to_owned()]);
    };
    let seen = "node:3: is in maintenance mode: it has the snapshot maintenance_mode_1 (seen by node:3)";
    assert_eq!(sees(&world, in_maintenance), [seen]);
    let nobody_can_say = |snapshot: &mut Snapshot| {
        idle(snapshot);
        snapshot.facts(2).snapshots = Probe::Unsupported("no such command".to_owned());
    };
    let seen = "node:3: takes no shards, and may be in maintenance mode (seen by node:2)";
    assert_eq!(sees(&world, nobody_can_say), [seen]);
    let silent = |snapshot: &mut Snapshot| {
        idle(snapshot);
        snapshot.agents[2].answer = Err(Failure::retry("unreachable", "no answer"));
    };
    assert_eq!(sees(&world, silent), [""; 0], "silence is no breach");
}

#[test]
fn during_the_install_its_own_node_may_be_down_but_no_other() {
    let mut world = before(StepKind::Install);
    intend(&mut world);
    assert_eq!(sees(&world, down(0)), [""; 0]);
    assert_eq!(sees(&world, down(1)), ["node:2: status is DOWN (seen by node:2)"]);
    let shard_elsewhere = |snapshot: &mut Snapshot| {
        snapshot.every_view(|view| {
            let shard = view.shards.iter_mut().find(|shard| shard.node != NodeUid(1)).unwrap();
            shard.status = Health::NotOk("LOADING".to_owned());
        });
    };
    assert_eq!(sees(&world, shard_elsewhere).len(), 1);
}

#[test]
fn somebody_else_s_hands_are_a_breach_and_silence_is_none() {
    let world = before(StepKind::Check);
    let foreign = |snapshot: &mut Snapshot| {
        let facts = snapshot.facts(2);
        let installed =
            proto::InstalledVersion { version: v("99.0.0-1"), read_from: vec!["dpkg".to_owned()] };
        facts.installed = Probe::Known(installed);
    };
    let seen = sees(&world, foreign);
    assert!(seen.len() == 1 && seen[0].starts_with("node:3: is at 99.0.0-1"), "{seen:?}");
    let silent = |snapshot: &mut Snapshot| {
        snapshot.agents[1].answer = Err(Failure::retry("unreachable", "no answer"));
        snapshot.facts(2).view = Probe::Unknown("a timeout".to_owned());
    };
    assert_eq!(sees(&world, silent), [""; 0], "P5: unreachable is not broken");
}
