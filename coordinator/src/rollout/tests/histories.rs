//! Random histories: whatever happens, no promise is broken, nothing is done twice, and there is a way to the end.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proto::RunId;

use super::world::{World, broken};
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Tick(Option<usize>),
    Pass(i64),
    Run(usize, What),
    Ask(Request),
    FleetHalt(bool),
    Sick(usize),
    Foreign(usize),
    Unseen(usize),
    Budget(u32),
    Move(usize, Option<usize>, bool),
}

#[derive(Clone, Copy, Debug)]
enum What {
    Take,
    Done,
    Halt,
    Block,
    Abort,
    OutsideWindow,
    Pause,
    SetToWork,
}

const CLUSTERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn file(budget: u32, in_wave: u32, on_failure: Siblings, windows: bool) -> Spec {
    let by_name = |list: &[&str]| list.iter().map(|text| Selector::Name(name(text))).collect();
    let mut waves = vec![
        Wave { soak: Duration::from_secs(1800), ..wave("canary", by_name(&["j"])) },
        Wave { at_once: 2, failure_budget: in_wave, ..wave("some", by_name(&["a", "b", "c", "d", "e"])) },
        Wave { at_once: 3, approval: true, ..wave("rest", by_name(&["f", "g", "h"])) },
    ];
    waves[2].failure_budget = in_wave;
    let night = Window {
        days: spec::days::ALL.to_vec(),
        from: jiff::civil::time(22, 0, 0, 0),
        until: jiff::civil::time(4, 0, 0, 0),
    };
    let open = if windows { vec![night] } else { Vec::new() };
    let windows = Windows { zone: "Europe/Berlin".to_owned(), open, blackouts: Vec::new() };
    Spec { at_once: 3, failure_budget: budget, on_failure, windows, ..spec(waves) }
}

fn partners() -> Partners {
    let pairs = [("a", "b"), ("c", "g"), ("d", "x")].into_iter();
    let both = |(one, other)| [(name(one), name(other)), (name(other), name(one))];
    Partners {
        pairs: pairs.flat_map(both).collect(),
        unclear: BTreeSet::from([name("e"), name("f"), name("y")]),
        ..Partners::default()
    }
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        2 => Just(Request::Pause),
        4 => Just(Request::Resume),
        1 => Just(Request::Abort),
        4 => (0..4_usize).prop_map(|wave| Request::Approve { wave }),
        2 => Just(Request::Retry { cluster: None }),
        2 => (0..10_usize).prop_map(|index| Request::Retry { cluster: Some(name(CLUSTERS[index])) }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        4 => Just(What::Take), 8 => Just(What::Done), 2 => Just(What::Halt), 1 => Just(What::Block),
        1 => Just(What::Abort), 1 => Just(What::OutsideWindow), 1 => Just(What::Pause), 2 => Just(What::SetToWork)
    ];
    prop_oneof![
        8 => prop_oneof![3 => Just(None), 1 => (0..4_usize).prop_map(Some)].prop_map(Step::Tick),
        4 => (1..400_i64).prop_map(Step::Pass),
        12 => (0..12_usize, what).prop_map(|(index, what)| Step::Run(index, what)),
        4 => request().prop_map(Step::Ask),
        1 => any::<bool>().prop_map(Step::FleetHalt),
        1 => (0..10_usize).prop_map(Step::Sick),
        1 => (0..12_usize).prop_map(Step::Foreign),
        1 => (0..10_usize).prop_map(Step::Unseen),
        1 => (0..4_u32).prop_map(Step::Budget),
        2 => (0..10_usize, prop::option::of(0..3_usize), any::<bool>())
            .prop_map(|(index, wave, approval)| Step::Move(index, wave, approval)),
    ]
}

/// The run does something that it may do as it stands.
fn run_does(world: &mut World, index: usize, what: What) {
    let runs: Vec<RunId> = world.seen.runs.keys().cloned().collect();
    let Some(run) = runs.get(index % runs.len().max(1)) else { return };
    let at_work = world.seen.runs[run].stands == RunStands::AtWork;
    let over =
        matches!(world.seen.runs[run].stands, RunStands::Done | RunStands::Aborted | RunStands::Blocked(_));
    let RunStands::Halted(failure) = broken() else { return };
    match what {
        What::Take => world.take_requests(),
        What::Done if at_work => world.set(run, RunStands::Done),
        What::Halt if at_work => world.set(run, RunStands::Halted(failure)),
        What::Block if at_work => world.set(run, RunStands::Blocked(failure)),
        What::OutsideWindow if at_work => world.set(run, RunStands::OutsideWindow),
        What::Pause if at_work => world.set(run, RunStands::Paused),
        What::Abort if !over => world.set(run, RunStands::Aborted),
        What::SetToWork if !over => world.set(run, RunStands::AtWork),
        _ => {}
    }
}

fn happens(world: &mut World, step: &Step, spec: &mut Spec) {
    match step {
        Step::Tick(dies_after) => drop(world.tick_until(*dies_after)),
        Step::Pass(minutes) => world.pass(*minutes),
        Step::Run(index, what) => run_does(world, *index, *what),
        Step::Ask(request) => drop(world.ask(request.clone())),
        Step::FleetHalt(on) => world.seen.fleet_halt = on.then(|| "ann: fire".to_owned()),
        Step::Sick(index) => drop(world.sick.insert(name(CLUSTERS[*index]))),
        Step::Foreign(index) => foreign(world, *index),
        Step::Unseen(index) => drop(world.seen.partners.unseen.insert(name(CLUSTERS[*index]))),
        Step::Budget(budget) => edit(world, spec, Spec { failure_budget: *budget, ..spec.clone() }),
        Step::Move(index, wave, approval) => {
            let changed = moved(world, spec, CLUSTERS[*index], *wave, *approval);
            edit(world, spec, changed);
        }
    }
}

/// The file is changed, and applied again.
fn edit(world: &mut World, spec: &mut Spec, changed: Spec) {
    if world.apply(&changed, &fleet(&CLUSTERS)).is_ok() {
        *spec = changed;
    }
}

/// A cluster goes to another wave, or out of the file; its new wave wants approval or not, if it has not begun.
fn moved(world: &World, spec: &Spec, cluster: &str, wave: Option<usize>, approval: bool) -> Spec {
    let (mut changed, selector) = (spec.clone(), Selector::Name(name(cluster)));
    for wave in &mut changed.waves {
        wave.clusters.retain(|other| *other != selector);
    }
    // "i" is in no wave, ever.
    if let Some(wave) = wave.filter(|_| cluster != "i") {
        let begun = world.rollout().waves[wave].begun.is_some();
        let wave = &mut changed.waves[wave];
        wave.approval = if begun { wave.approval } else { approval };
        wave.clusters.push(selector);
    }
    changed
}

/// Somebody starts a run of a cluster by hand, or it ends.
fn foreign(world: &mut World, index: usize) {
    let cluster = name(["a", "b", "c", "d", "e", "f", "g", "h", "i", "x", "y", "z"][index]);
    let by_hand: RunId = "by-hand-0".parse().unwrap();
    match world.seen.in_flight.get(&cluster) {
        None => drop(world.seen.in_flight.insert(cluster, by_hand)),
        Some(run) if *run == by_hand => drop(world.seen.in_flight.remove(&cluster)),
        Some(_) => {}
    }
}

/// People do what they are told to do; the rest comes by itself.
fn brings_to_an_end(world: &mut World) {
    world.seen.fleet_halt = None;
    world.sick.clear();
    world.seen.partners.unseen.clear();
    for _ in 0..400 {
        let foreign = |_: &ClusterName, run: &mut RunId| run.as_str() != "by-hand-0";
        world.seen.in_flight.retain(foreign);
        world.tick();
        let rollout = world.rollout();
        if rollout.is_over() {
            return;
        }
        let waits = world.waits();
        assert!(!waits.why.is_empty() && !waits.commands.is_empty() && !waits.who.is_empty(), "{waits:?}");
        let commands: Vec<&str> = waits.commands.iter().map(String::as_str).collect();
        for run in world.seen.runs.keys().cloned().collect::<Vec<_>>() {
            if commands.contains(&format!("ratchet resume {run}").as_str()) {
                world.set(&run, RunStands::AtWork);
            }
        }
        let told = |verb: &str| {
            commands.iter().any(|command| command.starts_with(&format!("ratchet rollout {verb} q4")))
        };
        if told("approve") {
            world.ask(Request::Approve { wave: rollout.current_wave().unwrap() }).unwrap();
        }
        if told("resume") {
            world.ask(Request::Resume).unwrap();
        } else if told("retry") {
            world.ask(Request::Retry { cluster: None }).unwrap();
        }
        world.tick();
        world.work();
        world.pass(60);
    }
    panic!("it does not end: {:?}\n{:#?}", world.waits(), world.rollout());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_a_promise_and_every_one_can_be_ended(
        steps in prop::collection::vec(step(), 0..90),
        (budget, in_wave) in (0..3_u32, 0..3_u32),
        on_failure in prop_oneof![Just(Siblings::FinishTurn), Just(Siblings::Continue), Just(Siblings::Halt)],
        windows in any::<bool>(),
    ) {
        let mut spec = file(budget, in_wave, on_failure, windows);
        let mut world = World::new(&spec, &fleet(&CLUSTERS));
        world.seen.partners = partners();
        for step in &steps {
            happens(&mut world, step, &mut spec);
        }
        prop_assert_eq!(world.replayed(), world.rollout(), "who takes over knows the same");
        brings_to_an_end(&mut world);
        prop_assert!(!world.started.contains(&name("i")), "no wave names it");
        prop_assert!(world.seen.held.is_empty());
        let Phase::Ended(end) = world.rollout().phase else { panic!("it is over") };
        let rollout = world.rollout();
        match end {
            RolloutEnd::Done => prop_assert_eq!(rollout.failures(), 0),
            RolloutEnd::DoneWithFailures => prop_assert!(rollout.failures() > 0 && rollout.overspent().is_none()),
            RolloutEnd::Aborted => prop_assert!(rollout.abort_wanted),
        }
    }
}
