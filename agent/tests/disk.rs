//! A disk that is full, and a power cut, at every durable write of a whole upgrade of a node (promises P6, P7).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod machine;

use agent::claims::ClaimRecord;
use agent::durable::{Disk, read_json};
use agent::executor::{all_steps, events_file};
use agent::{journal, memory};
use common::NEW;
use machine::{Coordinator, Fault, Machine, Power};
use proto::{StepEvent, StepProgress};

/// Lines of output are written in one go or in two: so many faults may find an upgrade that is over.
const SPREAD: usize = 12;

/// How many durable writes an upgrade without a fault makes.
fn writes() -> usize {
    let (machine, power) = (Machine::new(), Power::with(Fault::Never));
    assert!(machine.live(&power, &mut Coordinator::default()));
    assert_upgraded(&machine, "no fault");
    assert_eq!(machine.begun().len(), 1);
    power.writes()
}

/// The node is at the target and free, no installer was begun twice for one step, and every history is whole.
fn assert_upgraded(machine: &Machine, what: &str) {
    assert_eq!(machine.version(), NEW, "{what}");
    for step in machine.begun().keys() {
        machine.run_late(&step.parse().unwrap());
    }
    let begun = machine.begun();
    assert!(!begun.is_empty() && begun.values().all(|times| *times == 1), "{what}: {begun:?}");
    let state = machine.state();
    let record: ClaimRecord = read_json(&state.claim()).unwrap().unwrap();
    assert_eq!((record.claim, record.highest_epoch.0), (None, 1), "{what}");
    let steps = all_steps(&state).unwrap();
    assert!(steps.len() >= 5, "{what}: {steps:?}");
    for step in steps {
        let peeked = journal::peek::<StepEvent>(&events_file(&state, &step)).unwrap();
        assert_eq!((peeked.cut, peeked.tail), (None, 0), "{what}: {step}");
        let numbers: Vec<u64> = peeked.records.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{what}: {step}");
        let ends = |event: &&StepEvent| matches!(event.what, StepProgress::Finished(_));
        assert_eq!(peeked.records.iter().filter(ends).count(), 1, "{what}: {step}: {:?}", peeked.records);
    }
}

#[test]
fn a_full_disk_at_any_write_loses_nothing_and_starts_nothing_twice() {
    let writes_in_all = writes();
    assert!(writes_in_all > 20, "{writes_in_all}");
    let mut came_to_pass = 0;
    for at in 0..writes_in_all {
        for writes in [1, 5] {
            let what = format!("full at write {at} for {writes}");
            let (machine, power) = (Machine::new(), Power::with(Fault::Full { at, writes }));
            let mut coordinator = Coordinator::default();
            assert!(machine.live(&power, &mut coordinator), "{what}");
            assert_eq!(coordinator.interrupted, 0, "{what}: it was forgotten how the installer ended");
            assert_upgraded(&machine, &what);
            assert_eq!(machine.begun().len(), 1, "{what}: nothing was changed before there was room");
            came_to_pass += usize::from(power.writes() > at);
        }
    }
    assert!(came_to_pass > 2 * writes_in_all - SPREAD, "{came_to_pass} of {writes_in_all}");
}

#[test]
fn a_power_cut_between_any_two_writes_is_survived_and_starts_nothing_twice() {
    let writes_in_all = writes();
    let mut came_to_pass = 0;
    for at in 0..writes_in_all {
        for fault in [Fault::Before { at }, Fault::After { at }] {
            for rebooted in [false, true] {
                let what = format!("{fault:?}, rebooted: {rebooted}");
                let (machine, mut coordinator) = (Machine::new(), Coordinator::default());
                came_to_pass += usize::from(!machine.live(&Power::with(fault), &mut coordinator));
                let known = memory::read(&machine.state().memory()).unwrap();
                if rebooted {
                    machine.reboot();
                }
                assert!(machine.live(&Power::with(Fault::Never), &mut coordinator), "{what}");
                assert_upgraded(&machine, &what);
                assert!(machine.begun().len() <= 2, "{what}: {:?}", machine.begun());
                let memory = memory::open(&machine.state().memory(), &Disk::real()).unwrap();
                assert!(known.is_none_or(|known| known == memory), "{what}");
            }
        }
    }
    assert!(came_to_pass > 4 * writes_in_all - SPREAD, "{came_to_pass} of {writes_in_all}");
}
