//! Ways around hazards.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proto::Version;

use super::path::any_version;
use super::version;
use crate::paths::{PathVerdict, Table, UpgradePath, find_path_for};

fn stops(path: &UpgradePath) -> Vec<String> {
    path.hops.iter().map(|hop| hop.to.to_string()).collect()
}

fn around(from: &str, to: &str, at_hand: &[&str], hazards: &[(&str, &str)]) -> Vec<String> {
    let hazards: Vec<(Version, Version)> =
        hazards.iter().map(|(from, to)| (version(from), version(to))).collect();
    let at_hand = at_hand.iter().map(|text| version(text)).collect();
    let table = Table::vendor().unwrap();
    let avoid = |from, to| hazards.contains(&(from, to));
    stops(&find_path_for(&table, &BTreeSet::from([version(from)]), version(to), &at_hand, &avoid).unwrap())
}

#[test]
fn another_stop_is_taken_where_one_has_a_hazard() {
    let at_hand = ["7.2.4-52", "7.2.4-154", "8.2.0-46"];
    assert_eq!(around("6.0.20-69", "8.2.0-46", &at_hand, &[]), ["7.2.4-154", "8.2.0-46"]);
    let hazard = ("6.0.20-69", "7.2.4-154");
    assert_eq!(around("6.0.20-69", "8.2.0-46", &at_hand, &[hazard]), ["7.2.4-52", "8.2.0-46"]);
    let hazard = ("7.2.4-154", "8.2.0-46");
    assert_eq!(around("6.0.20-69", "8.2.0-46", &at_hand, &[hazard]), ["7.2.4-52", "8.2.0-46"]);
}

#[test]
fn a_longer_way_is_taken_where_the_shorter_has_a_hazard() {
    let hazard = ("7.4.2-54", "8.2.0-46");
    let at_hand = ["7.8.2-34", "8.2.0-46"];
    assert_eq!(around("7.4.2-54", "8.2.0-46", &at_hand, &[hazard]), ["7.8.2-34", "8.2.0-46"]);
}

#[test]
fn where_there_is_no_other_way_the_hazard_is_for_the_checks_to_tell() {
    let hazard = ("7.4.2-54", "8.2.0-46");
    assert_eq!(around("7.4.2-54", "8.2.0-46", &["8.2.0-46"], &[hazard]), ["8.2.0-46"]);
}

/// The fewest hops there are, tried out without any of the search's order.
fn fewest(
    table: &Table,
    from: Version,
    to: Version,
    at_hand: &BTreeSet<Version>,
    avoid: &dyn Fn(Version, Version) -> bool,
) -> Option<usize> {
    let allowed = |from: Version, to: Version| {
        matches!(table.verdict(from, to), PathVerdict::Allowed { .. }) && !avoid(from, to)
    };
    let mut reached = BTreeSet::from([from]);
    for hops in 1..=at_hand.len() {
        let next = at_hand.iter().copied().filter(|stop| reached.iter().any(|from| allowed(*from, *stop)));
        reached = next.collect();
        if reached.contains(&to) {
            return Some(hops);
        }
    }
    None
}

/// Some hops, chosen by a number: the same ones whenever they are asked about.
fn some_hops(seed: u64) -> impl Fn(Version, Version) -> bool {
    move |from, to| {
        let text = format!("{seed} {from} {to}");
        proto::Sha256::of(text.as_bytes()).to_string().starts_with(['0', '1', '2', '3', '4'])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_path_is_minimal_among_the_ways_without_hazard(
        from in any_version(),
        to in any_version(),
        mut at_hand in prop::collection::btree_set(any_version(), 0..10),
        seed in any::<u64>(),
    ) {
        let table = Table::vendor().unwrap();
        at_hand.insert(to);
        let avoid = some_hops(seed);
        let found = find_path_for(&table, &BTreeSet::from([from]), to, &at_hand, &avoid);
        let free = fewest(&table, from, to, &at_hand, &avoid);
        let any = fewest(&table, from, to, &at_hand, &|_, _| false);
        if from >= to {
            prop_assert!(found.is_err());
            return Ok(());
        }
        prop_assert_eq!(found.as_ref().ok().map(|path| path.hops.len()), free.or(any));
        let Ok(path) = found else { return Ok(()) };
        for hop in &path.hops {
            let verdict = table.verdict(hop.from, hop.to);
            prop_assert!(matches!(verdict, PathVerdict::Allowed { .. }), "{:?}", verdict);
            prop_assert!(at_hand.contains(&hop.to));
            prop_assert!(free.is_none() || !avoid(hop.from, hop.to), "{} → {}", hop.from, hop.to);
        }
    }
}
