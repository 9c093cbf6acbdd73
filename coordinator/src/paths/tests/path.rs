use std::collections::BTreeSet;

use proptest::prelude::*;
use proto::Version;

use super::{packages, version};
use crate::paths::{NoPath, PathVerdict, Table, UpgradePath, find_path, find_path_for};

fn path(from: &str, to: &str, at_hand: &[&str]) -> Result<UpgradePath, NoPath> {
    find_path(&Table::vendor().unwrap(), version(from), version(to), &packages(at_hand))
}

fn stops(path: &UpgradePath) -> Vec<String> {
    let from = path.hops.first().unwrap().from.to_string();
    std::iter::once(from).chain(path.hops.iter().map(|hop| hop.to.to_string())).collect()
}

#[test]
fn the_shortest_way_over_what_is_at_hand() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["7.4.2-54", "7.4.6-22"], &["7.4.2-104"]),
        (&["5.6.0-30", "6.0.20-97", "6.4.2-30"], &["6.2.18-70", "7.2.4-52"]),
        (&["6.0.20-69", "7.2.4-154", "8.2.0-46"], &["7.2.4-52", "6.4.2-30", "7.4.6-22"]),
        (&["6.2.8-53", "7.4.6-22", "8.2.0-46"], &["7.2.4-52", "7.8.2-34"]),
        (&["6.4.2-30", "8.0.10-64"], &["7.4.6-22"]),
        (&["5.6.0-30", "6.0.20-97", "7.2.4-52", "8.2.0-46"], &["6.0.8-28"]),
    ];
    for (expected, others) in cases {
        let at_hand: Vec<&str> = expected[1..].iter().chain(others).copied().collect();
        let found = path(expected[0], expected.last().unwrap(), &at_hand).unwrap();
        assert_eq!(stops(&found), expected);
    }
}

#[test]
fn rows_of_today_are_preferred_to_historical_ones() {
    // Both stops take two hops; 6.2 is the historical way out of 6.0.
    let found = path("6.0.20-69", "7.4.6-22", &["6.2.18-70", "6.4.2-30", "7.2.4-52", "7.4.6-22"]).unwrap();
    assert_eq!(stops(&found), ["6.0.20-69", "7.2.4-52", "7.4.6-22"]);
}

#[test]
fn a_missing_package_is_named_with_the_way() {
    let missing = |from, to, at_hand: &[&str]| match path(from, to, at_hand).unwrap_err() {
        NoPath::MissingPackages { way, missing } => (way.join(" "), missing.join(" ")),
        other => panic!("{other}"),
    };
    let (way, lacks) = missing("5.6.0-30", "6.4.2-30", &["6.4.2-30"]);
    assert_eq!((way.as_str(), lacks.as_str()), ("5.6.0-30 6.0.x 6.4.2-30", "6.0.x"));
    let (_, lacks) = missing("5.6.0-30", "6.4.2-30", &["6.0.20-97"]);
    assert_eq!(lacks, "6.4.2-30");
    let (_, lacks) = missing("5.6.0-30", "6.4.2-30", &[]);
    assert_eq!(lacks, "6.0.x 6.4.2-30");
    let (way, _) = missing("5.4.0-19", "6.2.18-70", &["6.2.18-70", "6.0.20-97"]);
    assert_eq!(way, "5.4.0-19 6.0.0 to 6.0.19 6.2.18-70", "6.0.20 cannot be reached from below 5.6");
    let (way, _) = missing("6.0.20-69", "8.2.0-46", &["8.2.0-46", "7.4.6-22"]);
    assert_eq!(way, "6.0.20-69 7.2.x 8.2.0-46");
    let text = path("5.6.0-30", "6.4.2-30", &["6.4.2-30"]).unwrap_err();
    assert!(text.to_string().contains("no package of 6.0.x is at hand"), "{text}");
    assert!(text.remedy().contains("ratchet package add"), "{}", text.remedy());
}

#[test]
fn what_is_unknown_is_refused_with_what_is_near() {
    let all = ["7.4.6-22", "8.0.20-96", "8.2.0-46", "8.0.22-1", "100.0.2-3572", "7.2.4-52"];
    let error = path("7.4.2-54", "8.0.22-1", &all).unwrap_err();
    assert_eq!(
        error,
        NoPath::UnknownTarget {
            version: version("8.0.22-1"),
            nearest: vec!["8.0.16 to 8.0.20".to_owned(), "8.2.x".to_owned()],
        }
    );
    assert!(error.to_string().contains("8.0.16 to 8.0.20 or 8.2.x"), "{error}");
    let NoPath::UnknownTarget { nearest, .. } = path("7.4.2-54", "100.0.2-3572", &all).unwrap_err() else {
        panic!()
    };
    assert_eq!(nearest, ["8.2.x"]);
    let NoPath::UnknownSource { nearest, .. } = path("6.2.2-1", "7.2.4-52", &all).unwrap_err() else {
        panic!()
    };
    assert_eq!(nearest, ["6.0.20 and later 6.0.x", "6.2.4 to 6.2.9"]);
    let NoPath::UnknownSource { nearest, .. } = path("100.0.2-3572", "100.0.21-1", &all).unwrap_err() else {
        panic!()
    };
    assert_eq!(nearest, ["8.2.x"]);
}

#[test]
fn down_and_level_are_no_upgrades() {
    let all = ["7.4.2-54", "7.4.2-53", "7.2.4-52"];
    assert!(matches!(path("7.4.2-54", "7.4.2-54", &all), Err(NoPath::AlreadyThere { .. })));
    for to in ["7.4.2-53", "7.2.4-52"] {
        assert!(matches!(path("7.4.2-54", to, &all), Err(NoPath::Downgrade { .. })), "{to}");
    }
}

fn mixed(installed: &[&str], to: &str, at_hand: &[&str]) -> Result<UpgradePath, NoPath> {
    let versions = |texts: &[&str]| texts.iter().map(|text| version(text)).collect::<BTreeSet<_>>();
    find_path_for(
        &Table::vendor().unwrap(),
        &versions(installed),
        version(to),
        &versions(at_hand),
        &|_, _| false,
    )
}

#[test]
fn a_half_upgraded_cluster_is_finished_from_its_lowest_version() {
    let found = mixed(&["7.4.2-54", "7.4.6-22"], "7.4.6-22", &["7.4.6-22"]).unwrap();
    assert_eq!(stops(&found), ["7.4.2-54", "7.4.6-22"]);
    // In the middle of the first of two hops.
    let found = mixed(&["5.6.0-30", "6.0.20-97"], "6.4.2-30", &["6.0.20-97", "6.4.2-30"]).unwrap();
    assert_eq!(stops(&found), ["5.6.0-30", "6.0.20-97", "6.4.2-30"]);
    // 8.0.16 could not be taken from 6.4; the stop in between must suit both.
    let found = mixed(&["6.4.2-30", "7.4.6-22"], "8.2.0-46", &["7.2.4-52", "7.8.2-34", "8.2.0-46"]).unwrap();
    assert_eq!(stops(&found), ["6.4.2-30", "7.8.2-34", "8.2.0-46"]);
}

#[test]
fn a_stray_that_cannot_take_the_hop_stops_it() {
    // A direct hop would suit 6.4 but no row names 6.2.2.
    assert!(mixed(&["6.2.2-1", "6.4.2-30"], "7.2.4-52", &["7.2.4-52"]).is_err());
    let unknown = mixed(&["6.4.2-30", "7.5.0-1"], "7.8.2-34", &["7.8.2-34"]).unwrap_err();
    assert!(
        matches!(unknown, NoPath::UnknownSource { version: stray, .. } if stray == version("7.5.0-1")),
        "{unknown}"
    );
    let above = mixed(&["7.4.2-54", "7.8.2-34"], "7.4.6-22", &["7.4.6-22"]).unwrap_err();
    assert!(matches!(above, NoPath::Downgrade { from, .. } if from == version("7.8.2-34")), "{above}");
}

pub(super) fn any_version() -> impl Strategy<Value = Version> {
    let line = prop::sample::select(vec![
        (4, 4),
        (4, 5),
        (5, 0),
        (5, 2),
        (5, 4),
        (5, 6),
        (6, 0),
        (6, 2),
        (6, 4),
        (7, 2),
        (7, 4),
        (7, 8),
        (7, 22),
        (8, 0),
        (8, 2),
        (9, 0),
    ]);
    (line, 0..24u32, 0..60u32)
        .prop_map(|((major, minor), patch, build)| Version::new(major, minor, patch, build))
}

proptest! {
    #[test]
    fn a_path_goes_up_over_allowed_hops_and_packages_at_hand(
        installed in prop::collection::btree_set(any_version(), 1..4),
        to in any_version(),
        mut at_hand in prop::collection::btree_set(any_version(), 0..12),
    ) {
        let table = Table::vendor().unwrap();
        at_hand.insert(to);
        let Ok(path) = find_path_for(&table, &installed, to, &at_hand, &|_, _| false) else { return Ok(()) };
        prop_assert_eq!(path.hops.last().unwrap().to, to);
        let mut nodes: Vec<Version> = installed.into_iter().collect();
        for hop in &path.hops {
            prop_assert!(hop.from < hop.to);
            prop_assert!(at_hand.contains(&hop.to));
            prop_assert_eq!(Some(&hop.from), nodes.iter().min());
            for node in nodes.iter_mut().filter(|node| **node < hop.to) {
                let verdict = table.verdict(*node, hop.to);
                prop_assert!(matches!(verdict, PathVerdict::Allowed { .. }), "{} → {}: {:?}", node, hop.to, verdict);
                *node = hop.to;
            }
        }
        prop_assert!(nodes.iter().all(|node| *node == to));
    }

    #[test]
    fn a_refusal_has_a_reason_and_a_remedy(from in any_version(), to in any_version()) {
        let table = Table::vendor().unwrap();
        if let Err(no_path) = find_path(&table, from, to, &[]) {
            prop_assert!(!no_path.to_string().is_empty() && !no_path.remedy().is_empty());
            let supported = matches!(no_path, NoPath::MissingPackages { .. });
            let direct = matches!(table.verdict(from, to), PathVerdict::Allowed { .. });
            prop_assert!(!direct || supported, "{}", no_path);
        }
    }
}
