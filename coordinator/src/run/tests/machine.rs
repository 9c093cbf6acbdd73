//! One story after another.

use proto::{NodeUid, StepKind};

use super::world::{Fate, World, v};
use crate::run::{Action, Event, Phase, Record, Request, RunEnd, StepOrder, decide, next, replay};

fn three() -> World {
    World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 2)
}

fn works(_: &StepOrder) -> Fate {
    Fate::Works
}

/// The given fate for one node's step of a kind, the first time; all else works.
fn once(node: u32, kind: StepKind, fate: Fate) -> impl FnMut(&StepOrder) -> Fate {
    let mut used = false;
    move |order| {
        if !used && order.node == NodeUid(node) && order.spec.kind() == kind {
            used = true;
            return fate;
        }
        Fate::Works
    }
}

#[test]
fn upgrades_the_master_first_then_the_others_in_order() {
    let mut world = three();
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [2, 1, 3]);
    assert_eq!(
        (world.run.released.len(), world.run.claimed.len()),
        (3, 0),
        "P13: every node is given back, once"
    );
}

#[test]
fn hooks_may_be_told_of_until_the_run_is_over_and_change_nothing() {
    let mut world = three();
    world.drive(once(2, StepKind::Confirm, Fate::Fails));
    assert!(matches!(world.run.phase, Phase::Halted(_)));
    world.ask(Request::Resume);
    world.drive(works);
    let mut told = 0;
    for length in 1..=world.records.len() {
        let run = replay(&world.run.id, &world.records[..length]).unwrap();
        let (seq, at) = (length as u64 + 1, run.updated_at);
        let event = Event::Hooked { outcomes: Vec::new() };
        let record = Record { seq, epoch: proto::Epoch(1), at, event };
        let over = matches!(run.phase, Phase::Ended(_));
        match next(run.clone(), &record) {
            Ok(after) => assert!(after == run && !over, "after record {length}"),
            Err(illegal) => assert!(over, "{illegal}"),
        }
        told += usize::from(!over);
    }
    assert!(told > 20 && world.is_done(), "{told}");
}

#[test]
fn a_master_that_moves_to_a_waiting_node_makes_it_next() {
    let mut world = three();
    world.drive(|order| {
        if order.spec.kind() == StepKind::Confirm && order.node == NodeUid(2) {
            Fate::Fails
        } else {
            Fate::Works
        }
    });
    world.master = NodeUid(3);
    world.take_over();
    world.ask(Request::Resume);
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [2, 3, 1]);
}

#[test]
fn every_hop_begins_with_the_master() {
    let mut world = World::new(3, &[v("6.0.8-28"), v("7.2.4-92"), v("8.2.0-46")], 3);
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [3, 1, 2, 3, 1, 2]);
}

#[test]
fn an_install_that_changed_nothing_halts_and_only_a_retry_installs_again() {
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::InstallsNothing));
    assert!(matches!(&world.run.phase, Phase::Halted(halt) if halt.node == Some(NodeUid(2))));
    assert_eq!(world.nodes_installed(), [2], "the others stay untouched");
    world.take_over();
    world.ask(Request::Resume);
    world.drive(works);
    assert_eq!(world.nodes_installed(), [2], "P6: resuming never installs again");
    world.take_over();
    world.ask(Request::Retry { node: None });
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [2, 2, 1, 3]);
}

#[test]
fn a_coordinator_that_dies_before_the_agent_hears_goes_back_to_the_gate() {
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::DiesBefore));
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [2, 1, 3]);
    let gates =
        world.records.iter().filter(|record| matches!(record.event, Event::GatePassed { .. })).count();
    assert_eq!(gates, 4, "P4: the gate that had passed was not used again");
}

#[test]
fn a_coordinator_that_dies_during_an_install_joins_it() {
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::DiesDuring));
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [2, 1, 3]);
}

#[test]
fn an_install_cut_off_by_a_reboot_is_judged_by_what_the_node_shows() {
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::CutOffDone));
    assert!(world.is_done());
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::CutOffUndone));
    assert!(matches!(world.run.phase, Phase::Halted(_)));
    assert_eq!(world.nodes_installed(), [2]);
}

#[test]
fn an_install_that_was_refused_halts_without_a_confirmation() {
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::Fails));
    assert!(matches!(&world.run.phase, Phase::Halted(halt) if halt.step == Some(StepKind::Install)));
    assert!(world.installs.is_empty());
    assert_eq!(world.run.installs(None), 0);
    world.take_over();
    world.ask(Request::Retry { node: None });
    world.drive(works);
    assert!(world.is_done());
}

#[test]
fn a_failed_check_halts_before_any_install_and_a_resume_passes_the_gate_again() {
    let mut world = three();
    world.drive(once(2, StepKind::Check, Fate::Fails));
    assert!(matches!(&world.run.phase, Phase::Halted(halt) if halt.step == Some(StepKind::Check)));
    assert!(world.installs.is_empty());
    world.take_over();
    world.ask(Request::Resume);
    world.drive(works);
    assert!(world.is_done());
}

#[test]
fn nodes_upgraded_by_hand_are_not_installed_again() {
    let mut world = three();
    world.versions.insert(NodeUid(1), v("7.8.2-34"));
    world.versions.insert(NodeUid(2), v("7.8.2-34"));
    world.master = NodeUid(1);
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [3]);
}

#[test]
fn a_pause_waits_for_the_end_of_the_turn() {
    let mut world = three();
    while world.run.turn.is_none() {
        world.step(&mut works);
    }
    world.ask(Request::Pause);
    world.drive(works);
    assert_eq!(world.run.phase, Phase::Paused);
    assert_eq!(world.nodes_installed(), [2]);
    world.take_over();
    world.ask(Request::Resume);
    world.drive(works);
    assert!(world.is_done());
}

#[test]
fn an_abort_ends_after_the_turn_and_gives_every_node_back() {
    let mut world = three();
    while world.run.turn.is_none() {
        world.step(&mut works);
    }
    world.ask(Request::Abort);
    world.drive(works);
    assert_eq!(world.run.phase, Phase::Ended(RunEnd::Aborted));
    assert_eq!(world.nodes_installed(), [2]);
    assert_eq!(world.run.released.len(), 3);
}

#[test]
fn a_halted_run_can_be_aborted_at_every_stage() {
    for kind in StepKind::ALL {
        let mut world = three();
        world.drive(|order| if order.spec.kind() == kind { Fate::Fails } else { Fate::Works });
        if world.is_done() {
            continue;
        }
        world.take_over();
        world.ask(Request::Abort);
        world.drive(works);
        assert_eq!(world.run.phase, Phase::Ended(RunEnd::Aborted), "{kind}");
    }
}

#[test]
fn wrong_bytes_before_the_first_install_end_the_run_with_nothing_changed() {
    for kind in [StepKind::Fetch, StepKind::Unpack] {
        let mut world = three();
        world.drive(once(3, kind, Fate::Refused));
        let Phase::Ended(RunEnd::Blocked(failure)) = &world.run.phase else {
            panic!("{:?}", world.run.phase)
        };
        assert!(failure.message.starts_with("node:3"), "{failure}");
        assert!(world.installs.is_empty());
        assert_eq!(world.run.released.len(), 3, "P13");
    }
}

#[test]
fn a_refused_claim_ends_a_run_that_changed_nothing_and_gives_the_others_back() {
    let mut world = three();
    assert_eq!(decide(&world.run), Action::Claim(NodeUid(1)));
    world.append(Event::Claimed { node: NodeUid(1), memory: None });
    let failure = proto::Failure::operator("foreign-claim", "held by another", "wait");
    world.append(Event::ClaimRefused { node: NodeUid(2), failure: failure.clone() });
    assert_eq!(decide(&world.run), Action::Release(NodeUid(1)));
    world.append(Event::Released { node: NodeUid(1), trouble: None });
    assert_eq!(decide(&world.run), Action::End(RunEnd::Blocked(failure)));
}

#[test]
fn only_the_machine_s_own_order_is_legal() {
    let mut world = three();
    while world.run.turn.is_none() {
        world.step(&mut works);
    }
    let record = |event| Record { seq: 99, epoch: proto::Epoch(1), at: world.run.updated_at, event };
    let install = decide_install(&world);
    let illegal = [
        install,
        Event::Paused,
        Event::Claimed { node: NodeUid(9), memory: None },
        Event::Witnessed { hop: 0, node: NodeUid(2), by: vec![NodeUid(1)], master: NodeUid(2) },
        Event::SeenAtTarget { hop: 0, node: NodeUid(1), version: v("7.8.2-34") },
        Event::StepNeverStarted { step: "no.such.step".parse().unwrap() },
        Event::Driving { holder: "at the same epoch".to_owned() },
        Event::Requested { request: Request::Retry { node: None }, by: "x".to_owned() },
    ];
    for event in illegal {
        let kind = event.kind();
        let error = next(world.run.clone(), &record(event)).expect_err(kind);
        assert!(error.to_string().contains(kind), "{error}");
    }
}

/// The install of the node whose turn it is, before its check: what a driver that skips the check would write.
fn decide_install(world: &World) -> Event {
    let turn = world.run.turn.clone().unwrap();
    let spec = proto::StepSpec::Install(proto::InstallSpec {
        unpacked_by: "x".parse().unwrap(),
        package: proto::Sha256::of(b""),
        target: v("7.8.2-34"),
        expected_installed: turn.from,
        expected_role: None,
        args: Vec::new(),
        deadline: None,
    });
    let step = world.run.step_id(turn.node, 0, StepKind::Install);
    Event::StepIntended { step, node: turn.node, hop: 0, spec }
}

#[test]
fn the_gate_cannot_pass_for_the_wrong_node() {
    let mut world = three();
    while !matches!(decide(&world.run), Action::Gate { .. }) {
        world.step(&mut works);
    }
    let pass = |node: u32, master: u32| Event::GatePassed {
        hop: 0,
        node: NodeUid(node),
        from: v("7.4.2-54"),
        role: proto::NodeRole::Replica,
        master: NodeUid(master),
        observed_at: world.run.updated_at,
    };
    let legal = |event| {
        let record = Record { seq: 99, epoch: proto::Epoch(1), at: world.run.updated_at, event };
        next(world.run.clone(), &record).is_ok()
    };
    assert!(legal(pass(2, 2)));
    assert!(legal(pass(3, 3)));
    assert!(!legal(pass(1, 2)), "P2: the master waits");
    assert!(!legal(pass(3, 9)), "P2: ascending uid when the master is none of the waiting");
}

#[test]
fn cnm_exec_is_restarted_on_every_node_after_six_zero_to_six_two_only() {
    let restarts = |from: &str, to: &str| {
        let mut world = World::new(3, &[v(from), v(to)], 1);
        world.drive(works);
        assert!(world.is_done());
        world.run.ledger.iter().filter(|(_, entry)| entry.kind() == StepKind::Restart).count()
    };
    assert_eq!(restarts("6.0.8-28", "6.2.18-70"), 3);
    assert_eq!(restarts("6.0.8-28", "7.2.4-92"), 0);
    assert_eq!(restarts("6.2.4-1", "6.2.18-70"), 0);
}

#[test]
fn an_install_that_was_refused_before_it_started_is_no_dead_end_for_resume() {
    let mut world = three();
    world.drive(once(2, StepKind::Install, Fate::Refused));
    assert!(matches!(world.run.phase, Phase::Halted(_)), "{:?}", world.run.phase);
    assert!(world.installs.is_empty());
    world.take_over();
    world.ask(Request::Resume);
    world.drive(works);
    assert!(world.is_done(), "P12: {:?}", world.run.phase);
    assert_eq!(world.nodes_installed(), [2, 1, 3]);
}
