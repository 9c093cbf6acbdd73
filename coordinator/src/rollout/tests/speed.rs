//! A rollout over 2,000 clusters is planned at once. The bound is loose: this runs unoptimised beside other tests.

use super::world::World;
use super::*;

fn big() -> (Spec, Vec<FleetCluster>, Partners) {
    let names: Vec<String> = (0..2000).map(|number| format!("cluster-{number:04}")).collect();
    let fleet = fleet(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let all = |pattern: &str| vec![Selector::Glob(pattern.to_owned())];
    let mut waves = vec![wave("canary", all("cluster-000*")), wave("rest", all("cluster-*"))];
    waves[1].at_once = 20;
    let pairs = (0..500).map(|pair| (name(&names[pair * 2]), name(&names[pair * 2 + 1])));
    let partners = Partners { pairs: pairs.collect(), ..Partners::default() };
    let nightly = Window {
        days: spec::days::ALL.to_vec(),
        from: jiff::civil::time(22, 0, 0, 0),
        until: jiff::civil::time(4, 0, 0, 0),
    };
    let windows = Windows { zone: "Europe/Berlin".to_owned(), open: vec![nightly], blackouts: Vec::new() };
    (Spec { windows, ..spec(waves) }, fleet, partners)
}

#[test]
fn two_thousand_clusters_are_planned_at_once() {
    let (spec, fleet, partners) = big();
    let begun = std::time::Instant::now();
    let selection = select(&spec, &fleet);
    let turns = fleet.iter().map(|cluster| (cluster.name.clone(), 5)).collect();
    let now = at("2026-10-24T20:00:00Z");
    let rows = forecast(&spec, &selection, &turns, &Measured::default(), &partners, now);
    let mut world = World::new(&spec, &fleet);
    world.seen.partners = partners;
    world.now = now;
    world.tick_until(None);
    let took = begun.elapsed();
    eprintln!("selected, foretold and begun in {took:?}");
    assert_eq!(selection.waves.iter().map(Vec::len).sum::<usize>(), 2000);
    assert_eq!((rows.len(), world.started.len()), (2000, 1));
    assert!(took < Duration::from_secs(20), "{took:?}");
}
