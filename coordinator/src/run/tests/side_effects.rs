//! Settings: the original is written down before the change, and is there again on every way out (promise P13).

use proto::{Setting, StepKind};

use super::world::{Fate, ORIGINAL, World, v};
use crate::plan::PlannedSetting;
use crate::run::{Event, Phase, Request, RunEnd, StepOrder};

const GRACE: PlannedSetting = PlannedSetting { setting: Setting::ReplicaHaGracePeriod, wanted: 3600 };

fn world() -> World {
    World::with_settings(3, &[v("7.4.2-54"), v("7.8.2-34")], 2, &[GRACE])
}

fn works(_: &StepOrder) -> Fate {
    Fate::Works
}

fn fails(kind: StepKind) -> impl FnMut(&StepOrder) -> Fate {
    move |order| if order.spec.kind() == kind { Fate::Refused } else { Fate::Works }
}

/// Drives until the first install is due to begin or has begun.
fn until_an_install(world: &mut World) {
    while world.installs.is_empty() {
        assert!(world.step(&mut works));
    }
}

#[test]
fn a_setting_is_changed_for_the_run_and_put_back_at_its_end() {
    let mut world = world();
    until_an_install(&mut world);
    assert_eq!(world.settings[&GRACE.setting], 3600, "changed before the first install");
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.settings[&GRACE.setting], ORIGINAL);
}

#[test]
fn an_abort_puts_it_back_too() {
    let mut world = world();
    until_an_install(&mut world);
    world.drive(fails(StepKind::Confirm));
    world.ask(Request::Abort);
    world.drive(works);
    assert_eq!(world.run.phase, Phase::Ended(RunEnd::Aborted));
    assert_eq!(world.settings[&GRACE.setting], ORIGINAL);
}

#[test]
fn whoever_dies_at_whatever_record_leaves_no_trace() {
    let mut length = 0;
    loop {
        let mut world = world();
        let mut steps = 0;
        while steps < length && world.step(&mut works) {
            steps += 1;
        }
        if world.is_done() {
            assert!(length > 20, "{length} steps are too few for a whole run");
            return;
        }
        world.take_over();
        world.drive(works);
        assert!(world.is_done(), "after {length} steps: {:?}", world.run.phase);
        assert_eq!(world.settings[&GRACE.setting], ORIGINAL, "after {length} steps");
        length += 1;
    }
}

#[test]
fn what_cannot_be_put_back_keeps_the_run_from_ending_well_and_can_be_tried_again() {
    let mut world = world();
    let back = |order: &StepOrder| match &order.spec {
        proto::StepSpec::Tune { value, .. } if *value == ORIGINAL => Fate::Refused,
        _ => Fate::Works,
    };
    world.drive(back);
    let Phase::Halted(halt) = &world.run.phase else { panic!("{:?}", world.run.phase) };
    assert!(halt.failure.message.contains("slave_ha_grace_period could not be put back to 600"), "{halt:?}");
    assert_eq!(world.run.ledger.count(StepKind::Tune), 4, "changed once, then tried by each of three agents");
    world.take_over();
    world.ask(Request::Resume);
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.settings[&GRACE.setting], ORIGINAL);
}

#[test]
fn an_abort_that_cannot_put_it_back_waits_for_a_person_who_may_insist() {
    for insists in [false, true] {
        let mut world = world();
        until_an_install(&mut world);
        world.drive(fails(StepKind::Confirm));
        world.ask(Request::Abort);
        world.drive(fails(StepKind::Tune));
        let Phase::Halted(halt) = &world.run.phase else { panic!("{:?}", world.run.phase) };
        assert_eq!(halt.failure.id, "setting-not-restored");
        let remedy = halt.failure.remedy.as_deref().unwrap();
        assert!(remedy.contains("rladmin tune cluster slave_ha_grace_period 600"), "{remedy}");
        world.take_over();
        if insists {
            world.ask(Request::Abort);
            world.drive(fails(StepKind::Tune));
            assert_eq!(world.run.open_settings().count(), 1, "and the run says so");
        } else {
            world.ask(Request::Resume);
            world.drive(works);
            assert_eq!(world.settings[&GRACE.setting], ORIGINAL);
        }
        assert_eq!(world.run.phase, Phase::Ended(RunEnd::Aborted));
    }
}

#[test]
fn a_run_with_an_open_entry_cannot_end_well_even_if_its_driver_says_so() {
    let mut world = world();
    until_an_install(&mut world);
    let seq = world.records.len() as u64 + 1;
    let (epoch, at) = (world.records.last().unwrap().epoch, world.run.updated_at);
    let ended = |end| crate::run::Record { seq, epoch, at, event: Event::Ended(end) };
    let illegal = crate::run::next(world.run.clone(), &ended(RunEnd::Done)).unwrap_err();
    assert!(illegal.reason.contains("has not been put back"), "{illegal}");
}

#[test]
fn what_is_good_enough_is_left_alone() {
    let mut world = world();
    world.settings.insert(GRACE.setting, 7200);
    while !world.run.settings.contains_key(&GRACE.setting) {
        if crate::run::decide(&world.run) == crate::run::Action::Record(GRACE.setting) {
            let (setting, original) = (GRACE.setting, 7200);
            world.append(Event::SettingRecorded { setting, original, wanted: original });
        } else {
            assert!(world.step(&mut works));
        }
    }
    world.drive(works);
    assert!(world.is_done());
    assert_eq!(world.run.ledger.count(StepKind::Tune), 0);
}
