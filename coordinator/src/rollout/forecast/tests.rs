use super::*;
use crate::rollout::tests::{at, name, names, spec, wave};
use crate::rollout::{Selector, Window, Windows, spec::days};

fn selection(waves: &[&[&str]]) -> Selection {
    Selection { waves: waves.iter().map(|wave| names(wave)).collect(), ..Selection::default() }
}

/// `cluster begin–end`, in hours and minutes of the day.
fn told(rows: &[ForecastRow]) -> Vec<String> {
    let clock = |at: Timestamp| at.strftime("%H:%M").to_string();
    rows.iter().map(|row| format!("{} {}-{}", row.cluster, clock(row.begins), clock(row.ends))).collect()
}

fn foretold(
    spec: &Spec,
    waves: &[&[&str]],
    turns: &[(&str, usize)],
    partners: &Partners,
) -> Vec<ForecastRow> {
    let turns = turns.iter().map(|(cluster, turns)| (name(cluster), *turns)).collect();
    let now = at("2026-11-23T10:00:00Z");
    forecast(spec, &selection(waves), &turns, &Measured::default(), partners, now)
}

fn two() -> Spec {
    let named = |list: &[&str]| names(list).into_iter().map(Selector::Name).collect();
    let mut waves = vec![wave("one", named(&["a"])), wave("two", named(&["b", "c", "d"]))];
    (waves[0].soak, waves[1].at_once) = (Duration::from_secs(3600), 2);
    spec(waves)
}

#[test]
fn waves_follow_each_other_after_their_soak() {
    let rows = foretold(&two(), &[&["a"], &["b", "c", "d"]], &[("a", 2), ("b", 2)], &Partners::default());
    assert_eq!(told(&rows), ["a 10:00-11:00", "b 12:00-13:00", "c 12:00-12:30", "d 12:30-13:00"]);
    assert_eq!(rows.iter().map(|row| row.wave).collect::<Vec<_>>(), [0, 1, 1, 1]);
}

#[test]
fn partners_wait_for_each_other() {
    let partners = Partners {
        pairs: [(name("c"), name("b"))].into(),
        unclear: [name("c"), name("d")].into(),
        ..Partners::default()
    };
    let rows = foretold(&two(), &[&[], &["b", "c", "d"]], &[], &partners);
    assert_eq!(told(&rows), ["b 10:00-10:30", "d 10:00-10:30", "c 10:30-11:00"]);
}

#[test]
fn turns_keep_to_windows_and_what_never_fits_has_no_row() {
    let open = vec![Window {
        days: days::ALL.to_vec(),
        from: jiff::civil::time(22, 0, 0, 0),
        until: jiff::civil::time(23, 20, 0, 0),
    }];
    let windows = Windows { zone: "UTC".to_owned(), open, blackouts: Vec::new() };
    let spec = Spec { windows, ..two() };
    let rows = foretold(&spec, &[&["a"], &["b"]], &[("a", 3)], &Partners::default());
    assert_eq!(told(&rows), ["a 22:00-22:30", "b 22:00-22:30"]);
    assert_eq!(rows[0].windows_used, 2, "two turns in the first night, one in the next");
    assert_eq!(rows[1].begins, at("2026-11-25T22:00:00Z"), "the soak ends after the window is too short");
    let slow = Spec { turn_estimate: Duration::from_secs(3 * 3600), ..spec };
    assert_eq!(foretold(&slow, &[&["a"], &["b"]], &[], &Partners::default()), []);
}
