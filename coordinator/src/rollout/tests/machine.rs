//! The rules, one by one.

use super::world::{World, broken};
use super::*;

fn named(list: &[&str]) -> Vec<Selector> {
    list.iter().map(|text| Selector::Name(name(text))).collect()
}

/// A canary and four others, two at a time.
pub(super) fn two_waves() -> Spec {
    let rest = Wave { at_once: 2, ..wave("rest", named(&["b", "c", "d", "e"])) };
    spec(vec![wave("canary", named(&["a"])), rest])
}

const ALL: [&str; 6] = ["a", "b", "c", "d", "e", "z"];

fn world(spec: &Spec) -> World {
    World::new(spec, &fleet(&ALL))
}

/// The canary is through, and b and c are in flight.
pub(super) fn second_wave(spec: &Spec) -> World {
    let mut world = world(spec);
    world.tick();
    world.set_of("a", RunStands::Done);
    world.tick();
    assert_eq!(world.started, names(&["a", "b", "c"]));
    world
}

#[test]
fn the_canary_comes_first_and_the_rest_in_order_as_many_as_may_be() {
    let mut world = second_wave(&two_waves());
    world.set_of("c", RunStands::Done);
    world.tick();
    assert_eq!(world.started, names(&["a", "b", "c", "d"]));
    for _ in 0..3 {
        world.work();
        world.tick();
    }
    assert_eq!(world.rollout().phase, Phase::Ended(RolloutEnd::Done));
    assert_eq!(world.started, names(&["a", "b", "c", "d", "e"]), "z is named by no wave");
    assert_eq!(world.waits().who, "nobody");
}

#[test]
fn all_waves_together_start_no_more_than_the_file_says() {
    let world = second_wave(&Spec { at_once: 2, ..two_waves() });
    assert_eq!(world.rollout().in_flight(), 2);
    let mut one = self::world(&Spec { at_once: 1, ..two_waves() });
    one.tick();
    one.work();
    one.tick();
    assert_eq!(one.started, names(&["a", "b"]));
}

#[test]
fn a_wave_soaks_and_whoever_is_not_well_in_two_looks_has_failed() {
    let mut spec = two_waves();
    spec.waves[0].soak = Duration::from_secs(1800);
    let mut world = world(&spec);
    world.tick();
    world.work();
    world.tick();
    assert_eq!(world.rollout().soaking_until(), Some(world.now + jiff::SignedDuration::from_mins(30)));
    world.sick.insert(name("a"));
    world.pass(10);
    world.tick();
    assert!(world.waits().why.contains("the next look decides"), "{:?}", world.waits());
    world.sick.clear();
    world.pass(10);
    world.tick();
    assert!(world.kinds().contains(&"recovered"));
    world.sick.insert(name("a"));
    world.pass(5);
    world.tick();
    world.tick();
    assert_eq!(world.rollout().failures(), 0, "the same look counts once");
    world.pass(4);
    world.tick();
    let Phase::Halted(HaltWhy::BudgetSpent { cluster, wave, failure }) = world.rollout().phase else {
        panic!("{:?}", world.rollout().phase)
    };
    assert_eq!((cluster, wave, failure.id.as_str()), (name("a"), Some(0), UNHEALTHY));
    world.sick.clear();
    world.pass(60);
    world.tick();
    assert_eq!(world.rollout().failures(), 1, "it is taken up on a person's word only");
    world.ask(Request::Retry { cluster: None }).unwrap();
    world.tick();
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert_eq!(world.started, names(&["a"]), "it soaks anew, and is not installed again");
    world.pass(31);
    world.tick();
    assert_eq!(world.started, names(&["a", "b", "c"]));
}

#[test]
fn a_cluster_that_nobody_could_look_at_has_not_soaked() {
    let mut spec = two_waves();
    spec.waves[0].soak = Duration::from_secs(1800);
    let mut world = world(&spec);
    world.tick();
    world.work();
    world.tick();
    world.now += jiff::SignedDuration::from_hours(5);
    world.tick();
    assert_eq!(world.started, names(&["a"]));
    assert!(world.waits().why.contains("once more"), "{:?}", world.waits());
    world.pass(1);
    world.tick();
    assert_eq!(world.started.len(), 3);
}

#[test]
fn a_wave_waits_for_approval_and_cannot_be_approved_before() {
    let mut spec = two_waves();
    spec.waves[1].approval = true;
    let mut world = world(&spec);
    world.tick();
    let early = world.ask(Request::Approve { wave: 1 }).unwrap_err();
    assert!(early.reason.contains("does not wait for approval yet"), "{early}");
    assert!(world.ask(Request::Approve { wave: 7 }).is_err());
    world.work();
    world.tick();
    assert_eq!(world.waits().commands[0], "ratchet rollout approve q4");
    for _ in 0..2 {
        world.ask(Request::Approve { wave: 1 }).unwrap();
    }
    world.tick();
    assert_eq!(world.started.len(), 3);
}

#[test]
fn partners_are_never_in_flight_together_and_others_overtake() {
    let spec = two_waves();
    let mut world = world(&spec);
    world.seen.partners.pairs.insert((name("c"), name("b")));
    world.seen.partners.unclear = [name("d"), name("z")].into();
    world.seen.in_flight.insert(name("z"), "by-hand-0".parse().unwrap());
    world.tick();
    world.work();
    world.tick();
    assert_eq!(world.started, names(&["a", "b", "e"]), "c is b's partner, d may be z's");
    world.set_of("e", broken());
    world.seen.in_flight.remove(&name("z"));
    world.tick();
    let changed = Spec { failure_budget: 1, ..spec.clone() };
    let mut changed = Spec { waves: changed.waves.clone(), ..changed };
    changed.waves[1].failure_budget = 1;
    world.apply(&changed, &fleet(&ALL)).unwrap();
    world.ask(Request::Resume).unwrap();
    world.tick();
    assert_eq!(
        world.started,
        names(&["a", "b", "e", "d"]),
        "a halted run makes room, but not for its partner"
    );
}

#[test]
fn nothing_is_started_whose_partners_nobody_knows_yet() {
    let mut world = world(&two_waves());
    world.seen.partners.unseen.insert(name("a"));
    world.tick();
    assert_eq!((world.started.len(), world.waits().commands), (0, vec!["ratchet status a".to_owned()]));
    world.seen.partners.unseen.clear();
    world.tick();
    world.work();
    world.seen.partners.unseen.insert(name("b"));
    world.tick();
    assert_eq!(world.started, names(&["a", "c", "d"]), "b is left out, others are not");
    world.seen.partners.unseen = [name("c")].into();
    world.set_of("d", RunStands::Done);
    world.tick();
    assert_eq!(world.started.len(), 3, "c is in flight, and may be anybody's partner");
}

#[test]
fn a_cluster_that_somebody_else_upgrades_is_left_to_them() {
    let mut world = world(&spec(vec![wave("w", named(&["a"]))]));
    world.seen.in_flight.insert(name("a"), "by-hand-0".parse().unwrap());
    world.tick();
    assert_eq!(world.started, []);
    let waits = world.waits();
    assert_eq!(waits.why, "a has a run that is not over: by-hand-0");
    assert_eq!(waits.commands[0], "ratchet why by-hand-0");
}

#[test]
fn a_leader_that_dies_between_intent_and_start_starts_the_same_run() {
    let mut world = world(&two_waves());
    let all = world.tick_until(Some(0));
    assert_eq!(world.tick_until(Some(all - 1)), all);
    assert_eq!(world.kinds().last(), Some(&"starting"));
    assert_eq!(world.started, []);
    world.tick();
    assert_eq!(world.started, names(&["a"]));
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "starting").count(), 1);
}

#[test]
fn outside_the_window_nothing_starts_and_runs_that_paused_go_on_when_it_opens() {
    let mut spec = two_waves();
    spec.windows.zone = "UTC".to_owned();
    spec.windows.open = vec![Window {
        days: spec::days::ALL.to_vec(),
        from: jiff::civil::time(13, 0, 0, 0),
        until: jiff::civil::time(14, 0, 0, 0),
    }];
    let mut world = world(&spec);
    world.tick();
    assert_eq!(world.kinds(), ["applied", "window_closed", "wave_begun"]);
    assert_eq!(world.waits().until, Some(at("2026-10-24T13:00:00Z")));
    world.pass(60);
    world.tick();
    assert_eq!(world.started, names(&["a"]));
    world.pass(20);
    world.set_of("a", RunStands::OutsideWindow);
    world.pass(11);
    world.tick();
    assert!(!world.seen.runs[&world.run("a")].resuming, "29 minutes are left, a turn takes 30");
    world.pass(24 * 60 - 30);
    world.tick();
    assert!(world.seen.runs[&world.run("a")].resuming);
}

#[test]
fn a_changed_file_keeps_what_was_begun() {
    let mut world = second_wave(&two_waves());
    let other = Spec { target: "7.22.2-1".parse().unwrap(), ..two_waves() };
    let refused = world.apply(&other, &fleet(&ALL)).unwrap_err();
    assert!(refused.reason.contains("give the new one another name"), "{refused}");
    let renamed = spec(vec![wave("other", named(&["a"])), two_waves().waves[1].clone()]);
    assert!(world.apply(&renamed, &fleet(&ALL)).is_err());
    assert!(world.apply(&spec(vec![two_waves().waves[0].clone()]), &fleet(&ALL)).is_err());
    let mut changed = two_waves();
    changed.waves[1].clusters = named(&["e", "z"]);
    world.apply(&changed, &fleet(&ALL)).unwrap();
    for _ in 0..4 {
        world.tick();
        world.work();
    }
    world.tick();
    assert_eq!(world.started, names(&["a", "b", "c", "e", "z"]), "b and c go on, d is not named any more");
    assert_eq!(world.rollout().phase, Phase::Ended(RolloutEnd::Done));
    assert!(world.apply(&two_waves(), &fleet(&ALL)).is_err(), "it is over");
}

#[test]
fn an_approval_is_for_the_wave_as_it_was() {
    let mut spec = two_waves();
    spec.waves[1].approval = true;
    let mut world = world(&spec);
    world.tick();
    world.work();
    world.tick();
    world.ask(Request::Approve { wave: 1 }).unwrap();
    spec.waves[1].clusters = named(&["b", "z"]);
    world.apply(&spec, &fleet(&ALL)).unwrap();
    world.tick();
    assert_eq!(world.started, names(&["a"]));
    assert_eq!(world.waits().commands[0], "ratchet rollout approve q4");
}

#[test]
fn a_journal_with_a_gap_or_of_another_is_refused() {
    let world = second_wave(&two_waves());
    let name = "q4".parse().unwrap();
    assert!(replay(&name, &[]).is_err());
    assert!(replay(&name, &world.records[1..]).is_err());
    let gap: Vec<Record> = [&world.records[..2], &world.records[3..]].concat();
    assert!(replay(&name, &gap).is_err());
    assert!(replay(&"q5".parse().unwrap(), &world.records).is_err());
    let json = serde_json::to_string(&world.records).unwrap();
    assert_eq!(replay(&name, &serde_json::from_str::<Vec<Record>>(&json).unwrap()), Ok(world.rollout()));
}
