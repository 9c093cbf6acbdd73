//! Somebody else changes the cluster while a run is under way.

use std::sync::Arc;

use proto::{Epoch, FactValue, NodeUid, Probe};

use super::world::{Fate, World};
use crate::fingerprint::{Change, Comparison, read};
use crate::run::foreign::{judge_foreign, lost};
use crate::run::{Action, Event, Phase, Record, Request, decide, next};
use crate::snapshot::Snapshot;
use crate::snapshot::sample::{healthy, noon};

fn change() -> Change {
    Change {
        key: "cluster: slave_ha_grace_period".to_owned(),
        before: Some("600".to_owned()),
        after: Some("900".to_owned()),
    }
}

/// A run between two turns, of a plan that knows how the cluster was configured.
fn between_turns() -> World {
    let versions = [proto::Version::new(7, 4, 2, 54), proto::Version::new(7, 4, 6, 22)];
    let mut world = World::new(3, &versions, 1);
    world.run.configuration = Some(Arc::new(read(&healthy(3)).fingerprint));
    while !matches!(decide(&world.run), Action::Gate { .. }) {
        world.step(&mut |_| Fate::Works);
    }
    world
}

fn changed() -> Snapshot {
    let mut snapshot = healthy(3);
    for index in 0..3 {
        let info = snapshot.facts(index).details.0.get_mut(&proto::Fact::ClusterInfo);
        match info {
            Some(Probe::Known(FactValue::Rows(rows))) => {
                rows[0].insert("slave_ha_grace_period".to_owned(), "900".to_owned());
            }
            other => panic!("{other:?}"),
        }
    }
    snapshot
}

fn request(request: Request) -> Event {
    Event::Requested { request, by: "alice".to_owned() }
}

/// Why an event cannot happen now.
fn refused(world: &World, event: Event) -> String {
    let record = Record { seq: 1000, epoch: Epoch(1), at: noon(), event };
    next(world.run.clone(), &record).unwrap_err().reason
}

#[test]
fn a_change_pauses_until_it_is_acknowledged() {
    let mut world = between_turns();
    let Comparison::Changed(changes) = judge_foreign(&world.run, &changed()) else { panic!() };
    assert_eq!(changes, [change()]);
    world.append(Event::ForeignChange { seen_at: noon(), changes });
    assert_eq!(world.run.phase, Phase::Paused);
    assert_eq!(decide(&world.run), Action::Stand);
    let why = refused(&world, request(Request::Resume));
    assert!(why.contains("`600` → `900`"), "{why}");
    world.ask(Request::Acknowledge);
    assert_eq!(world.run.phase, Phase::Active);
    assert_eq!(judge_foreign(&world.run, &changed()), Comparison::Same);
    assert!(
        matches!(judge_foreign(&world.run, &healthy(3)), Comparison::Changed(_)),
        "back is a change, too"
    );
}

#[test]
fn whoever_does_not_acknowledge_may_abort() {
    let mut world = between_turns();
    world.append(Event::ForeignChange { seen_at: noon(), changes: vec![change()] });
    world.ask(Request::Abort);
    assert_eq!(decide(&world.run), Action::Release(NodeUid(1)));
}

#[test]
fn it_cannot_pause_for_nothing_nor_in_the_middle_of_a_turn() {
    let mut world = between_turns();
    refused(&world, Event::ForeignChange { seen_at: noon(), changes: Vec::new() });
    while world.run.turn.is_none() {
        world.step(&mut |_| Fate::Works);
    }
    refused(&world, Event::ForeignChange { seen_at: noon(), changes: vec![change()] });
}

#[test]
fn what_cannot_be_read_any_more_can_be_acknowledged_away() {
    let mut world = between_turns();
    let mut blind = healthy(3);
    (0..3).for_each(|index| blind.facts(index).details.0.clear());
    let Comparison::CannotTell(keys) = judge_foreign(&world.run, &blind) else { panic!() };
    let changes = lost(&world.run, &keys);
    assert!(changes.iter().all(|change| change.before.is_some() && change.after.is_none()), "{changes:?}");
    world.append(Event::ForeignChange { seen_at: noon(), changes });
    world.ask(Request::Acknowledge);
    assert_eq!(judge_foreign(&world.run, &blind), Comparison::Same);
}
