//! Promise P4: whatever is spoiled, wherever, no gate lets a turn begin.

use jiff::SignedDuration;
use proptest::prelude::*;
use proto::{Failure, Health, NodeRole, NodeUid, Probe, Version};

use super::{Stage, World};
use crate::snapshot::Snapshot;

/// What is spoiled, and how, at the agent in a place.
type Spoil = (&'static str, fn(&mut Snapshot, usize));

/// Every fact a gate depends on.
const SPOILS: &[Spoil] = &[
    ("no answer", |it, at| it.agents[at].answer = Err(Failure::retry("unreachable", "no answer"))),
    ("no agent", |it, at| drop(it.agents.remove(at))),
    ("no uid", |it, at| it.facts(at).node_uid = Probe::Unknown("x".to_owned())),
    ("another uid", |it, at| it.facts(at).node_uid = Probe::Known(NodeUid(99))),
    ("no version", |it, at| it.facts(at).installed = Probe::Unknown("x".to_owned())),
    ("a version nobody knows", |it, at| it.install(at as u32 + 1, Version::new(7, 3, 0, 1))),
    ("no view", |it, at| it.facts(at).view = Probe::Unknown("x".to_owned())),
    ("view unsupported", |it, at| it.facts(at).view = Probe::Unsupported("x".to_owned())),
    ("tasks unknown", |it, at| it.facts(at).running_actions = Probe::Unknown("x".to_owned())),
    ("a task", |it, at| it.facts(at).running_actions = Probe::Known(vec!["1) Task".to_owned()])),
    ("snapshots unknown", |it, at| it.facts(at).snapshots = Probe::Unknown("x".to_owned())),
    ("a snapshot", |it, at| it.facts(at).snapshots = Probe::Known(vec!["maintenance_mode_x".to_owned()])),
    ("rlcheck unknown", |it, at| it.facts(at).rlcheck = Some(Probe::Unknown("x".to_owned()))),
    ("cluster name", |it, at| it.facts(at).cluster_name = Probe::Known("other".to_owned())),
    ("cluster", |it, at| it.view(at).health = Health::NotShown),
    ("master", |it, at| it.view(at).master = Some(NodeUid(2))),
    ("two masters", |it, at| it.view(at).nodes[1].role = Some(NodeRole::Master)),
    ("local", |it, at| it.view(at).local = NodeUid(98)),
    ("a node less", |it, at| drop(it.view(at).nodes.pop())),
    ("no nodes", |it, at| it.view(at).nodes.clear()),
    ("node", |it, at| it.view(at).nodes[2].status = Health::NotOk("DOWN".to_owned())),
    ("node's version", |it, at| it.view(at).nodes[2].version = None),
    ("node's room", |it, at| it.view(at).nodes[2].max_shards = None),
    ("maintenance", |it, at| it.view(at).nodes[2].max_shards = Some(0)),
    ("shard", |it, at| it.view(at).shards[0].status = Health::NotOk("loading".to_owned())),
    ("shard's watchdog", |it, at| it.view(at).shards[1].watchdog = Health::NotShown),
    ("no shards", |it, at| it.view(at).shards.clear()),
    ("endpoint", |it, at| it.view(at).endpoints[0].watchdog = Health::NotOk(String::new())),
    ("no endpoints", |it, at| it.view(at).endpoints.clear()),
    ("database", |it, at| it.view(at).databases[0].status = Health::NotOk("recovery".to_owned())),
    ("state machine", |it, at| it.view(at).databases[0].exec_state = Some(String::new())),
    ("redis version", |it, at| it.view(at).databases[0].redis_version = None),
];

#[test]
fn every_single_spoiled_fact_closes_the_gate() {
    for (what, spoil) in SPOILS {
        for at in 0..3 {
            let mut world = World::new();
            world.gate().unwrap();
            spoil(&mut world.snapshot, at);
            assert!(world.gate().is_err(), "{what} at {at}");
        }
    }
}

#[test]
fn an_old_look_closes_the_gate_and_so_does_one_from_the_future() {
    for seconds in [-61, 1] {
        let mut world = World::new();
        world.snapshot.at += SignedDuration::from_secs(seconds);
        assert!(world.gate().is_err(), "{seconds}");
    }
    let mut world = World::new();
    world.snapshot.at -= SignedDuration::from_secs(60);
    world.gate().unwrap();
}

#[test]
fn versions_may_be_mixed_in_the_middle_of_a_hop() {
    let mut world = World::new();
    world.snapshot.install(1, Version::new(7, 4, 6, 22));
    let cleared = world.gate().unwrap();
    assert_eq!((cleared.node(), cleared.to()), (NodeUid(1), world.target));
    world.snapshot.install(2, Version::new(7, 8, 2, 34));
    world.gate().unwrap();
    world.snapshot.install(3, Version::new(5, 6, 0, 30));
    assert!(world.gate().is_err(), "5.6.0 cannot go to 7.4.6");
}

#[test]
fn only_a_gate_clears() {
    let world = World::new();
    assert!(crate::checks::gate(&world.context(Stage::Survey)).is_err());
}

proptest! {
    #[test]
    fn no_heap_of_spoiled_facts_opens_the_gate(
        spoils in prop::collection::vec((0..SPOILS.len(), 0..3usize), 1..5),
    ) {
        let mut world = World::new();
        for (which, at) in spoils {
            let (what, spoil) = SPOILS[which];
            // What an earlier spoiler removed cannot be spoiled again.
            let mut copy = world.snapshot.clone();
            let spoiled = std::panic::catch_unwind(move || { spoil(&mut copy, at); copy });
            match spoiled {
                Ok(snapshot) => world.snapshot = snapshot,
                Err(_) => prop_assert!(world.gate().is_err(), "before {}", what),
            }
        }
        prop_assert!(world.gate().is_err());
    }
}
