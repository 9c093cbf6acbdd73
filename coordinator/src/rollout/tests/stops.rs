//! Failures, halts, pauses and aborts.

use super::machine::{second_wave, two_waves};
use super::world::{World, broken};
use super::*;

/// b has failed, c is at work.
fn failed(on_failure: Siblings) -> World {
    let mut world = second_wave(&Spec { on_failure, ..two_waves() });
    world.set_of("b", broken());
    world.tick();
    assert!(matches!(world.rollout().phase, Phase::Halted(HaltWhy::BudgetSpent { wave: Some(1), .. })));
    world
}

#[test]
fn siblings_finish_their_turn_or_go_on_or_hold() {
    let mut world = failed(Siblings::FinishTurn);
    assert!(world.seen.runs[&world.run("c")].pausing && world.seen.held.is_empty());
    world.take_requests();
    world.tick();
    assert_eq!(world.kinds().last(), Some(&"paused"));
    let world = failed(Siblings::Continue);
    assert!(!world.seen.runs[&world.run("c")].pausing && world.seen.held.is_empty());
    let world = failed(Siblings::Halt);
    assert!(world.seen.runs[&world.run("c")].pausing);
    assert_eq!(world.seen.held, [name("c")].into());
}

#[test]
fn a_halt_is_left_when_the_failure_is_given_back() {
    for policy in [Siblings::FinishTurn, Siblings::Continue, Siblings::Halt] {
        let mut world = failed(policy);
        world.take_requests();
        world.tick();
        let refused = world.ask(Request::Resume).unwrap_err();
        assert!(refused.reason.contains("more clusters have failed than the budget allows: b"), "{refused}");
        assert!(world.waits().commands.contains(&"ratchet rollout retry q4 b".to_owned()));
        world.ask(Request::Retry { cluster: Some(name("b")) }).unwrap();
        world.tick();
        assert!(world.seen.runs[&world.run("b")].resuming, "{policy:?}");
        world.take_requests();
        world.ask(Request::Resume).unwrap();
        world.tick();
        assert!(world.seen.held.is_empty());
        for _ in 0..4 {
            world.work();
            world.tick();
        }
        assert_eq!(world.rollout().phase, Phase::Ended(RolloutEnd::Done), "{policy:?}");
        assert_eq!(world.started, names(&["a", "b", "c", "d", "e"]), "nobody is started twice");
    }
}

#[test]
fn a_person_who_brings_the_run_to_its_end_gives_the_failure_back() {
    let mut world = failed(Siblings::FinishTurn);
    world.set_of("b", RunStands::Done);
    world.tick();
    assert_eq!(world.rollout().failures(), 0);
    assert!(world.waits().commands.contains(&"ratchet rollout resume q4".to_owned()));
}

#[test]
fn a_retry_that_fails_again_is_a_failure_again_and_not_retried_by_itself() {
    let mut world = failed(Siblings::FinishTurn);
    world.ask(Request::Retry { cluster: None }).unwrap();
    world.tick();
    world.take_requests();
    world.set_of("b", broken());
    world.tick();
    assert_eq!(world.rollout().failures(), 1);
    assert!(!world.seen.runs[&world.run("b")].resuming);
}

#[test]
fn a_run_that_is_over_is_started_anew() {
    let mut world = second_wave(&Spec { failure_budget: 1, ..two_waves() });
    world.set_of("b", RunStands::Aborted);
    world.tick();
    world.ask(Request::Retry { cluster: Some(name("b")) }).unwrap();
    world.tick();
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert_eq!(world.started.iter().filter(|cluster| **cluster == name("b")).count(), 2);
}

#[test]
fn a_halt_of_the_fleet_stops_all_and_its_lift_starts_nothing() {
    let mut world = second_wave(&two_waves());
    world.seen.fleet_halt = Some("ann: fire".to_owned());
    world.tick();
    world.take_requests();
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert!(matches!(world.rollout().phase, Phase::Halted(HaltWhy::Fleet { .. })));
    assert_eq!(world.waits().commands[0], "ratchet halt --lift");
    world.seen.fleet_halt = None;
    world.tick();
    assert_eq!(world.started.len(), 3);
    assert!(matches!(world.rollout().phase, Phase::Halted(_)), "a word from before the lift is none");
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert!(world.seen.runs[&world.run("b")].resuming);
}

#[test]
fn a_failure_during_the_halt_of_the_fleet_is_counted_after_its_lift() {
    let mut world = second_wave(&two_waves());
    world.seen.fleet_halt = Some("ann: fire".to_owned());
    world.tick();
    world.set_of("b", broken());
    world.tick();
    assert!(matches!(world.rollout().phase, Phase::Halted(HaltWhy::Fleet { .. })));
    world.seen.fleet_halt = None;
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert!(matches!(world.rollout().phase, Phase::Halted(HaltWhy::BudgetSpent { .. })));
    assert!(world.waits().commands.contains(&"ratchet rollout retry q4 b".to_owned()));
}

#[test]
fn a_pause_waits_for_turns_and_a_pause_of_a_persons_own_stays() {
    let mut world = second_wave(&two_waves());
    world.set_of("c", RunStands::Paused);
    world.ask(Request::Pause).unwrap();
    world.tick();
    assert!(world.rollout().pause_wanted, "b is at work");
    world.take_requests();
    world.tick();
    assert_eq!(world.rollout().phase, Phase::Paused);
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert!(world.seen.runs[&world.run("b")].resuming);
    assert!(!world.seen.runs[&world.run("c")].resuming, "a person has paused it");
    let resume = format!("ratchet resume {}", world.run("c"));
    assert!(world.waits().commands.contains(&resume), "{:?}", world.waits());
}

#[test]
fn an_abort_waits_for_all_runs_and_asks_each_once() {
    let mut world = second_wave(&two_waves());
    world.ask(Request::Abort).unwrap();
    world.tick();
    assert!(!world.rollout().is_over());
    assert!(world.ask(Request::Resume).is_err());
    world.set_of("b", RunStands::Done);
    world.take_requests();
    world.tick();
    assert_eq!(world.rollout().phase, Phase::Ended(RolloutEnd::Aborted));
    assert!(world.rollout().part(&name("b")).unwrap().1.upgraded());
    assert!(world.ask(Request::Abort).unwrap_err().reason.contains("over"));
}
