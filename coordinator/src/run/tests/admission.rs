//! Others than the cluster do not let a turn begin.

use jiff::Timestamp;
use proto::{Epoch, NodeUid};

use super::world::{Fate, World, v};
use crate::run::{Action, Event, Phase, Record, Request, decide, next};

fn opens_at() -> Timestamp {
    "2026-06-02T22:00:00Z".parse().unwrap()
}

fn not_admitted() -> Event {
    Event::NotAdmitted { why: "the window is shut".to_owned(), opens_at: Some(opens_at()) }
}

/// A run whose next turn may be let begin.
fn before_a_turn() -> World {
    let mut world = World::new(3, &[v("7.4.2-54"), v("7.4.6-22")], 1);
    while !matches!(decide(&world.run), Action::Gate { .. }) {
        world.step(&mut |_| Fate::Works);
    }
    world
}

fn is_refused(world: &World) -> bool {
    let record = Record { seq: 1000, epoch: Epoch(1), at: opens_at(), event: not_admitted() };
    next(world.run.clone(), &record).is_err()
}

#[test]
fn it_pauses_with_the_reason_and_goes_on_when_asked_to() {
    let mut world = before_a_turn();
    world.append(not_admitted());
    assert_eq!((&world.run.phase, decide(&world.run)), (&Phase::Paused, Action::Stand));
    assert_eq!(world.run.not_admitted, Some(("the window is shut".to_owned(), Some(opens_at()))));
    world.take_over();
    assert_eq!(world.run.phase, Phase::Paused, "another driver does not go on by itself");
    world.ask(Request::Resume);
    assert_eq!(world.run.not_admitted, None);
    world.drive(|_| Fate::Works);
    assert!(world.is_done());
}

#[test]
fn a_pause_that_a_person_asks_for_outlasts_it() {
    let mut world = before_a_turn();
    world.append(not_admitted());
    world.ask(Request::Pause);
    assert_eq!((&world.run.phase, &world.run.not_admitted), (&Phase::Paused, &None));
}

#[test]
fn whoever_wants_to_abort_is_not_kept_waiting() {
    let mut world = before_a_turn();
    world.append(not_admitted());
    world.ask(Request::Abort);
    assert_eq!(decide(&world.run), Action::Release(NodeUid(1)));
    assert!(is_refused(&world), "a pause now would lose the abort");
}

#[test]
fn it_never_leaves_a_turn_half_way() {
    let mut world = before_a_turn();
    let mut turns = 0;
    while world.step(&mut |_| Fate::Works) {
        if world.run.turn.is_some() {
            turns += 1;
            assert!(is_refused(&world));
        }
    }
    assert!(turns > 0);
}
