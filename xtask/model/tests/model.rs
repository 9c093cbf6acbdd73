//! The model within small bounds: no promise is broken, every run can end, every deliberate bug is found.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use model::bounds::{BOUNDED, Bounds};
use model::explore::Limits;
use model::mutation::Mutation;
use model::verify::{explore_bounds, look_for};

const ALL: Limits = Limits { states: usize::MAX, threads: 2, first: false, ends: true };

fn bounds(name: &str) -> &'static Bounds {
    BOUNDED.iter().find(|bounds| bounds.name == name).unwrap_or_else(|| panic!("no bounds are called {name}"))
}

/// Every state is seen, no promise is broken in any, and from every one the end can be reached.
fn holds(name: &str) {
    let explored = explore_bounds(bounds(name), None, ALL).unwrap();
    let story = explored.found.map(|found| format!("{:#?}\n{:?}", found.steps, found.violation));
    assert!(story.is_none(), "{}", story.unwrap_or_default());
    assert!(explored.exhausted && explored.endless == 0 && explored.violations == 0);
    assert!(explored.over > 0 && explored.states > 1_000, "{} states are hardly any", explored.states);
}

macro_rules! holds {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { holds($name); })*

        #[test]
        fn all_bounds_are_tested() {
            let names: Vec<&str> = BOUNDED.iter().map(|bounds| bounds.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

holds! {
    a_coordinator_dies_and_a_connection_breaks: "crash and loss",
    a_request_comes_twice_and_the_master_moves: "duplicate and move",
    a_node_loses_power: "outage",
    a_node_falls_ill_and_a_step_fails: "illness and failure",
    an_agent_is_killed_and_a_connection_breaks: "restart and loss",
    a_second_coordinator_takes_over: "second coordinator",
    an_agent_loses_its_memory: "lost memory",
    a_node_is_taken_away: "taken away",
    a_setting_is_changed_and_put_back: "a setting",
}

#[test]
fn every_deliberate_bug_is_found() {
    let missed: Vec<Mutation> = Mutation::ALL
        .iter()
        .copied()
        .filter(|mutation| look_for(*mutation, 2).unwrap().promise.is_none())
        .collect();
    assert_eq!(missed, []);
    assert!(Mutation::ALL.len() >= 12);
}

/// What is found with a bug in is not found without it, so it is the bug that is found.
#[test]
fn without_the_bug_nothing_is_found() {
    let mut looked: Vec<(usize, bool, model::state::Budget)> = Vec::new();
    for mutation in Mutation::ALL.iter().copied() {
        let bounds = model::bounds::where_to_look(mutation);
        if looked.contains(&(bounds.hops, bounds.tuned, bounds.budget)) {
            continue;
        }
        looked.push((bounds.hops, bounds.tuned, bounds.budget));
        let explored = explore_bounds(&bounds, None, ALL).unwrap();
        assert!(explored.exhausted && explored.violations == 0, "{mutation:?}: {:?}", explored.found);
    }
}
