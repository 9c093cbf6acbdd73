//! A journal that contradicts the world halts the run with both versions of the story.

use proto::{AgentMemory, Halt, NodeHalt, NodeUid, StepKind};

use super::world::{Fate, World, v};
use crate::paths::Table;
use crate::run::{Action, Event, GateVerdict, Phase, Request, StepOrder, decide, judge_gate};
use crate::snapshot::sample::{healthy, noon};

fn works(_: &StepOrder) -> Fate {
    Fate::Works
}

fn memory(text: &str) -> Option<AgentMemory> {
    Some(text.parse().unwrap())
}

/// Claims every node, all agents having this memory but for node 2.
fn claim(world: &mut World, of_node_2: &str) {
    while let Action::Claim(node) = decide(&world.run) {
        let memory = memory(if node == NodeUid(2) { of_node_2 } else { "steady" });
        world.append(Event::Claimed { node, memory });
    }
}

/// A run that dies right after it has intended the install of its master, node 2.
fn cut_off_in_an_install() -> World {
    let mut world = World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 2);
    claim(&mut world, "first");
    loop {
        match decide(&world.run) {
            Action::Execute(order) if order.spec.kind() == StepKind::Install => {
                world.step(&mut |_: &StepOrder| Fate::DiesBefore);
                return world;
            }
            _ => assert!(world.step(&mut works)),
        }
    }
}

#[test]
fn an_agent_with_the_same_memory_is_believed() {
    let mut world = cut_off_in_an_install();
    claim(&mut world, "first");
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.nodes_installed(), [2, 1, 3]);
}

#[test]
fn an_agent_that_lost_its_memory_of_an_install_is_not_believed_that_it_never_got_it() {
    let mut world = cut_off_in_an_install();
    claim(&mut world, "second");
    world.drive(works);
    let Phase::Halted(halt) = &world.run.phase else { panic!("{:?}", world.run.phase) };
    assert_eq!((halt.failure.id.as_str(), halt.node), ("contradiction", Some(NodeUid(2))));
    let cause = halt.failure.cause.as_deref().unwrap();
    assert!(cause.contains("the journal says: install") && cause.contains("the node says: "), "{cause}");
    assert!(world.installs.is_empty());
    world.take_over();
    world.ask(Request::Resume);
    claim(&mut world, "second");
    world.drive(works);
    assert!(world.installs.is_empty(), "P6: resume only looks");
    world.take_over();
    world.ask(Request::Retry { node: None });
    claim(&mut world, "second");
    world.drive(works);
    assert!(world.is_done(), "P12: a person has looked, and the run goes on: {:?}", world.run.phase);
    assert_eq!(world.nodes_installed(), [2, 1, 3]);
}

#[test]
fn an_agent_that_lost_its_archives_gets_them_again() {
    let mut world = World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 2);
    claim(&mut world, "first");
    assert!(world.step(&mut works), "fetched");
    assert!(world.step(&mut works), "unpacked");
    world.take_over();
    claim(&mut world, "second");
    let Action::Prepare(orders) = decide(&world.run) else { panic!("{:?}", decide(&world.run)) };
    assert_eq!(orders.iter().map(|order| order.node).collect::<Vec<_>>(), [NodeUid(2)]);
    assert!(orders.iter().all(|order| order.new && order.spec.kind() == StepKind::Fetch));
    world.drive(works);
    assert!(world.is_done());
}

#[test]
fn a_node_that_went_back_to_an_older_version_halts_the_run_at_its_gate() {
    let at = healthy(3).facts(0).installed.known().unwrap().version;
    let mut world = World::new(3, &[at, v("99.0.0-1")], 1);
    while !world.run.nodes[&NodeUid(1)].done.contains_key(&0) {
        assert!(world.step(&mut works));
    }
    // The sample's nodes are all at the version of before.
    let table = Table::vendor().unwrap();
    let verdict = judge_gate(&world.run, 0, &healthy(3), &table, noon());
    let GateVerdict::Contradicted(halt) = verdict else { panic!("{verdict:?}") };
    let cause = halt.failure.cause.as_deref().unwrap();
    assert!(
        cause.contains("node:1 is at 99.0.0-1") && cause.contains(&format!("{at} is installed")),
        "{cause}"
    );
    assert!(halt.failure.remedy.as_deref().unwrap().contains("ratchet abort"));
}

#[test]
fn a_node_that_obeys_a_halt_keeps_its_gate_shut() {
    let at = healthy(3).facts(0).installed.known().unwrap().version;
    let world = World::new(3, &[at, v("99.0.0-1")], 1);
    let table = Table::vendor().unwrap();
    let reasons = |node: usize| {
        let mut snapshot = healthy(3);
        let halt = Halt { by: "alice".to_owned(), why: "the network".to_owned(), at: noon() };
        snapshot.facts(node).halts = vec![NodeHalt { source: NodeHalt::FLEET.to_owned(), halt }];
        match judge_gate(&world.run, 0, &snapshot, &table, noon()) {
            GateVerdict::Held(reasons) => reasons.join("; "),
            verdict => format!("{verdict:?}"),
        }
    };
    let held = reasons(0);
    assert!(held.contains("node:1 begins no installer") && held.contains("ratchet halt --lift"), "{held}");
    assert!(!reasons(1).contains("no installer"), "it is not the turn of node 2");
}
