//! Worlds in small numbers: what `ratchet-world` does by the thousand.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use coordinator::documents::RunState;
use world::report::{self, Broken};
use world::script::{InstallFault, Sabotage, Script, Stage, Whim};
use world::store::Cut;
use world::systematic;
use world::{Shared, run};

/// Worlds side by side: as many as the machines that run the tests have processors.
const THREADS: usize = 2;

fn tell(broken: &Broken) {
    println!("BROKEN in {}:\n  {}\n{}", broken.name, broken.violations.join("\n  "), broken.history);
}

#[test]
fn calm_worlds_end_well() {
    let shared = Shared::make().unwrap();
    for nodes in 1..=3 {
        let outcome = run(&Script::calm(0, nodes), &shared).unwrap();
        assert_eq!(outcome.violations, Vec::<String>::new(), "{}", outcome.readable());
        assert_eq!(outcome.state, Some(RunState::Done), "{}", outcome.readable());
        assert_eq!(outcome.installs, usize::try_from(nodes).unwrap());
        assert!(outcome.agent_writes.iter().all(|writes| *writes > 20), "the disks are watched");
    }
}

#[test]
fn a_hundred_worlds_break_no_promise() {
    let shared = Shared::make().unwrap();
    let worlds: Vec<(String, Script)> =
        (0..100).map(|seed| (format!("seed {seed}"), Script::of(seed))).collect();
    let report = report::run(&worlds, THREADS, &shared, &tell);
    assert_eq!((report.seeds, report.violations), (100, 0), "{:?}", report.broken);
    assert!(report.faults.len() > 20 && report.installs > 200, "{report:?}");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let shared = Shared::make().unwrap();
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| run(&Script::of(seed), &shared).unwrap().readable());
        let lines = first.lines().zip(second.lines());
        let differing: Vec<_> = lines.filter(|(first, second)| first != second).take(3).collect();
        assert!(first == second, "seed {seed}: {differing:#?}");
    }
}

#[test]
fn a_death_or_a_full_disk_at_any_record_breaks_no_promise() {
    let shared = Shared::make().unwrap();
    let worlds = systematic::scripts(1, &shared).unwrap();
    let report = report::run(&worlds, THREADS, &shared, &tell);
    assert_eq!(report.violations, 0, "{:?}", report.broken);
    assert!(report.seeds > 200, "{report:?}");
}

#[test]
fn what_must_not_be_is_seen() {
    let shared = Shared::make().unwrap();
    for (sabotage, promise) in Sabotage::ALL {
        let outcome = run(&sabotage.world(), &shared).unwrap();
        let broken = format!("{promise} broken");
        let seen = outcome.violations.iter().any(|violation| violation.starts_with(&broken));
        assert!(seen, "{sabotage:?} must break {promise}: {:?}\n{}", outcome.violations, outcome.readable());
    }
}

/// Worlds that broke a promise once.
#[test]
fn what_was_broken_once_stays_mended() {
    let shared = Shared::make().unwrap();
    let calm = |nodes| Script::calm(0, nodes);
    let worlds = [
        // An agent that dies between the order of an install and its first event.
        Script { agent_cuts: vec![(1, Cut::Before(37))], hops: 2, ..calm(3) },
        // A first install that was never launched: only another attempt helps.
        Script { installs: vec![(1, InstallFault::NotLaunched)], ..calm(2) },
        // An abort while the only node's tools cannot put a setting back.
        Script {
            installs: vec![(1, InstallFault::RunnerDies(Stage::Files))],
            whims: vec![(109_000, Whim::Abort)],
            hasty: false,
            ..calm(1)
        },
    ];
    let happened = ["agent-killed-at-record", "op-runner-not-launched", "tune failed"];
    for (script, word) in worlds.into_iter().zip(happened) {
        let outcome = run(&script, &shared).unwrap();
        assert_eq!(outcome.violations, Vec::<String>::new(), "{}", outcome.readable());
        assert!(outcome.readable().contains(word), "{word} did not happen:\n{}", outcome.readable());
    }
}
