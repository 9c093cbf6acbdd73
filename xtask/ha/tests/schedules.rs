//! Three schedules with all four kinds of fault: no promise is broken, and every run goes on in time (promises P1, P2,
//! P6, P7, P8). `ratchet-ha` tries a hundred.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::time::Duration;

use ha::lanes::Lanes;
use ha::schedule::{Kind, Schedule};

/// Short ones.
const SEEDS: [u64; 3] = [17, 31, 52];

#[test]
fn upgrades_go_on_whatever_befalls_their_coordinators_and_their_database() {
    if !pg::available("schedules of faults") {
        return;
    }
    let schedules: Vec<_> = SEEDS.into_iter().map(Schedule::of).collect();
    for kind in Kind::ALL {
        assert!(schedules.iter().any(|schedule| schedule.has(kind)), "no schedule has this: {kind}");
    }
    assert!(schedules.iter().all(|schedule| schedule.lasts() < Duration::from_secs(30)));
    let place = tempfile::Builder::new().prefix("ha-").disable_cleanup(true).tempdir().unwrap().keep();
    let lanes = Lanes {
        lanes: SEEDS.len(),
        program: sim::built_binary("coordinator", "ratchet").unwrap(),
        files: place.clone(),
        keep: false,
    };
    let report = lanes.run(schedules, &|line| eprintln!("{line}")).unwrap();
    assert!(report.broken.is_empty(), "{report}\n{:#?}", report.broken);
    assert_eq!(report.schedules, SEEDS.len());
    assert!(
        report.kinds.iter().map(|figures| figures.resumed).sum::<usize>() > 0,
        "no run at work was struck"
    );
    std::fs::remove_dir_all(place).unwrap();
}
