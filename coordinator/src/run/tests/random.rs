//! Long random histories: every step may fail, be cut off or outlive its coordinator, the master moves, the cluster
//! falls ill, people pause, resume, retry and abort. The world checks the promises where the effects are.

use proptest::prelude::*;
use proto::NodeUid;

use super::world::{Fate, World, v};
use crate::run::{Action, Event, Phase, Request, Run, StepOrder, decide, replay};

/// Numbers that decide about everything in a history; when they are used up, all goes well.
struct Dice(Vec<u8>);

impl Dice {
    fn roll(&mut self) -> u8 {
        self.0.pop().unwrap_or(u8::MAX)
    }

    fn fate(&mut self) -> Fate {
        match self.roll() % 24 {
            0 => Fate::Fails,
            1 => Fate::InstallsNothing,
            2 => Fate::CutOffDone,
            3 => Fate::CutOffUndone,
            4 | 5 => Fate::DiesBefore,
            6 | 7 => Fate::DiesDuring,
            _ => Fate::Works,
        }
    }
}

/// Something nobody planned happens to the world between two steps.
fn disturb(world: &mut World, dice: &mut Dice) {
    let nodes = u32::try_from(world.versions.len()).unwrap();
    match dice.roll() % 32 {
        0 | 1 => world.master = NodeUid(u32::from(dice.roll()) % nodes + 1),
        2 => world.healthy = false,
        3 => world.ask(Request::Pause),
        4 => world.take_over(),
        5 if matches!(decide(&world.run), Action::Gate { .. }) => {
            world.append(Event::NotAdmitted { why: "the window is shut".to_owned(), opens_at: None });
        }
        _ => {}
    }
}

/// Puts right what stands in the way, as an operator would.
fn operate(world: &mut World, dice: &mut Dice) {
    world.healthy = true;
    world.take_over();
    let retry = matches!(world.run.phase, Phase::Halted(_)) && world.run.install_in_flight().is_none();
    let request =
        if retry && !dice.roll().is_multiple_of(4) { Request::Retry { node: None } } else { Request::Resume };
    let legal = |request: &Request| {
        let event = Event::Requested { request: request.clone(), by: "x".to_owned() };
        let record = crate::run::Record { seq: 0, epoch: proto::Epoch(0), at: world.run.updated_at, event };
        crate::run::next(world.run.clone(), &record).is_ok()
    };
    let request = if legal(&request) { request } else { Request::Resume };
    world.ask(request);
}

/// Promise P12 in this state: what is due is a wait with a deadline, or is done at once; or a person has to act.
fn waits_end(run: &Run) {
    let action = decide(run);
    let at_once = matches!(action, Action::Restored(_) | Action::Pause | Action::Stand);
    assert_eq!(action.waits().is_empty(), at_once, "{action:?}");
    assert!(action.waits().iter().all(|wait| !run.deadlines.of(*wait).is_zero()));
    assert_eq!(
        action == Action::Stand,
        run.phase != Phase::Active,
        "only a run that stands still does nothing"
    );
}

fn history(nodes: u32, hops: usize, dice: Vec<u8>) {
    let versions = [v("6.0.8-28"), v("7.2.4-92"), v("8.2.0-46")];
    let mut dice = Dice(dice);
    let mut world = World::new(nodes, &versions[..=hops], 1);
    for _ in 0..5_000 {
        disturb(&mut world, &mut dice);
        waits_end(&world.run);
        let moved = world.step(&mut |_: &StepOrder| dice.fate());
        if world.is_done() {
            break;
        }
        if !moved {
            operate(&mut world, &mut dice);
        }
    }
    assert!(world.is_done(), "P12: every run can end; this one is {:?}", world.run.phase);
    assert!(world.versions.values().all(|version| *version == versions[hops]), "P9: {:?}", world.versions);
    assert_eq!(replay(&world.run.id, &world.records).unwrap(), world.run, "P7: the journal is the run");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_a_promise(nodes in 1_u32..=7, hops in 1_usize..=2, dice in prop::collection::vec(any::<u8>(), 0..400)) {
        history(nodes, hops, dice);
    }
}

#[test]
fn thirty_five_nodes() {
    let dice =
        (0..3_000_u32).map(|index| u8::try_from(u64::from(index) * 2_654_435_769 % 251).unwrap()).collect();
    history(35, 2, dice);
}
