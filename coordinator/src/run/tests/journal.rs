//! What is written can be read again, by every later version.

use super::world::{Fate, World, v};
use crate::run::{Event, Record, replay};

#[test]
fn a_whole_journal_survives_being_written_down() {
    let mut world = World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 1);
    world.drive(|_| Fate::Works);
    let text: Vec<String> =
        world.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let read: Vec<Record> = text.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(replay(&world.run.id, &read).unwrap(), world.run);
}

#[test]
fn a_journal_with_a_hole_is_refused_with_the_place() {
    let mut world = World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 1);
    world.drive(|_| Fate::Works);
    for hole in 1..world.records.len() - 1 {
        let mut records = world.records.clone();
        records.remove(hole);
        let error = replay(&world.run.id, &records).unwrap_err();
        assert_eq!(error.seq, hole as u64 + 2, "{error}");
    }
    let headless = &world.records[1..];
    assert!(replay(&world.run.id, headless).is_err());
    assert!(replay(&world.run.id, &[]).is_err());
}

#[test]
fn a_crash_after_any_record_ends_in_the_same_place() {
    let mut whole = World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 1);
    whole.drive(|_| Fate::Works);
    let steps = whole.records.len();
    for crash in 1..steps {
        let mut world = World::new(3, &[v("7.4.2-54"), v("7.8.2-34")], 1);
        while world.records.len() < crash && world.step(&mut |_: &_| Fate::Works) {}
        if matches!(world.records.last().map(|record| &record.event), Some(Event::Ended(_))) {
            break;
        }
        world.take_over();
        world.drive(|_| Fate::Works);
        assert!(world.is_done(), "after record {crash}");
        assert_eq!(world.installs.len(), 3, "P6 and P7 after record {crash}");
    }
}
