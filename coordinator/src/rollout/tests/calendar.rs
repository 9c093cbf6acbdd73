//! Windows across changes of the clock, midnights and blackouts; every expected instant is worked out by hand.

use jiff::civil::{Weekday, date, time};
use proptest::prelude::*;

use super::*;

fn window(days: &[Weekday], from: (i8, i8), until: (i8, i8)) -> Window {
    Window { days: days.to_vec(), from: time(from.0, from.1, 0, 0), until: time(until.0, until.1, 0, 0) }
}

fn windows(zone: &str, open: Vec<Window>) -> Windows {
    Windows { zone: zone.to_owned(), open, blackouts: Vec::new() }
}

fn daily(zone: &str, from: (i8, i8), until: (i8, i8)) -> Windows {
    windows(zone, vec![window(&spec::days::ALL, from, until)])
}

fn openings(windows: &Windows, from: &str, until: &str) -> Vec<String> {
    let openings = windows.openings(at(from), at(until));
    openings.iter().map(|(start, end)| format!("{start}/{end}")).collect()
}

#[test]
fn a_window_across_midnight_belongs_to_the_day_it_opens_on() {
    let friday = windows("Europe/Berlin", vec![window(&[Weekday::Friday], (22, 0), (4, 0))]);
    // 2026-11-27 is a Friday; Berlin is at +01.
    assert_eq!(
        openings(&friday, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
        ["2026-11-27T21:00:00Z/2026-11-28T03:00:00Z"]
    );
    let saturday_morning = at("2026-11-28T02:59:59Z");
    let closes_at = Some(at("2026-11-28T03:00:00Z"));
    assert_eq!(friday.stands(saturday_morning), WindowStands::Open { closes_at });
    let opens_at = Some(at("2026-12-04T21:00:00Z"));
    assert_eq!(friday.stands(at("2026-11-28T03:00:00Z")), WindowStands::Closed { opens_at });
}

#[test]
fn clocks_that_change_lengthen_shorten_and_skip() {
    // (zone, window, day, what is open on it)
    let cases = [
        // Berlin, forward at 01:00Z on 2026-03-29: 02:00 is 03:00.
        ("Europe/Berlin", ((1, 0), (4, 0)), "2026-03-29", "2026-03-29T00:00:00Z/2026-03-29T02:00:00Z"),
        ("Europe/Berlin", ((2, 30), (4, 0)), "2026-03-29", "2026-03-29T01:00:00Z/2026-03-29T02:00:00Z"),
        ("Europe/Berlin", ((1, 0), (2, 30)), "2026-03-29", "2026-03-29T00:00:00Z/2026-03-29T01:00:00Z"),
        ("Europe/Berlin", ((2, 10), (2, 50)), "2026-03-29", ""),
        // Berlin, back at 01:00Z on 2026-10-25: 02:00 comes twice.
        ("Europe/Berlin", ((1, 0), (4, 0)), "2026-10-25", "2026-10-24T23:00:00Z/2026-10-25T03:00:00Z"),
        ("Europe/Berlin", ((2, 30), (4, 0)), "2026-10-25", "2026-10-25T00:30:00Z/2026-10-25T03:00:00Z"),
        ("Europe/Berlin", ((1, 0), (2, 30)), "2026-10-25", "2026-10-24T23:00:00Z/2026-10-25T00:30:00Z"),
        // New York, forward at 07:00Z on 2026-03-08, back at 06:00Z on 2026-11-01.
        ("America/New_York", ((1, 30), (3, 30)), "2026-03-08", "2026-03-08T06:30:00Z/2026-03-08T07:30:00Z"),
        ("America/New_York", ((0, 30), (1, 30)), "2026-11-01", "2026-11-01T04:30:00Z/2026-11-01T05:30:00Z"),
        ("America/New_York", ((0, 30), (2, 0)), "2026-11-01", "2026-11-01T04:30:00Z/2026-11-01T07:00:00Z"),
        // Lord Howe changes by half an hour: 02:00 is 02:30 on 2026-10-04 (15:30Z the day before), back on 2026-04-05 (15:00Z).
        ("Australia/Lord_Howe", ((1, 0), (3, 0)), "2026-10-04", "2026-10-03T14:30:00Z/2026-10-03T16:00:00Z"),
        ("Australia/Lord_Howe", ((2, 15), (3, 0)), "2026-10-04", "2026-10-03T15:30:00Z/2026-10-03T16:00:00Z"),
        ("Australia/Lord_Howe", ((1, 0), (1, 45)), "2026-04-05", "2026-04-04T14:00:00Z/2026-04-04T14:45:00Z"),
        ("Australia/Lord_Howe", ((1, 0), (3, 0)), "2026-04-05", "2026-04-04T14:00:00Z/2026-04-04T16:30:00Z"),
    ];
    for (zone, (from, until), day, expected) in cases {
        let day: jiff::civil::Date = day.parse().unwrap();
        let windows = windows(zone, vec![window(&[day.weekday()], from, until)]);
        let noon = |day: jiff::civil::Date| day.at(12, 0, 0, 0).in_tz(zone).unwrap().timestamp();
        let open = windows.openings(noon(day.yesterday().unwrap()), noon(day));
        let told: Vec<String> = open.iter().map(|(start, end)| format!("{start}/{end}")).collect();
        assert_eq!(told.join(" "), expected, "{zone} {day} {from:?}");
    }
}

#[test]
fn windows_that_touch_or_overlap_are_one_and_a_full_day_is_24_hours() {
    let two = windows(
        "UTC",
        vec![
            window(&[Weekday::Monday], (22, 0), (0, 0)),
            window(&[Weekday::Tuesday], (0, 0), (3, 0)),
            window(&[Weekday::Tuesday], (2, 0), (5, 0)),
        ],
    );
    // 2026-11-23 is a Monday.
    assert_eq!(
        openings(&two, "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"),
        ["2026-11-23T22:00:00Z/2026-11-24T05:00:00Z"]
    );
    let monday = windows("UTC", vec![window(&[Weekday::Monday], (6, 0), (6, 0))]);
    assert_eq!(
        openings(&monday, "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"),
        ["2026-11-23T06:00:00Z/2026-11-24T06:00:00Z"]
    );
    let always = daily("Europe/Berlin", (3, 0), (3, 0));
    assert_eq!(always.stands(at("2026-11-23T00:00:00Z")), WindowStands::Open { closes_at: None });
}

#[test]
fn blackouts_cut_windows_and_a_turn_must_not_reach_into_one() {
    let mut nightly = daily("Europe/Berlin", (22, 0), (4, 0));
    let (from, until) = (date(2026, 12, 20), date(2027, 1, 6));
    nightly.blackouts = vec![Blackout { from, until, why: None }];
    assert_eq!(
        openings(&nightly, "2026-12-19T12:00:00Z", "2027-01-07T12:00:00Z"),
        ["2026-12-19T21:00:00Z/2026-12-19T23:00:00Z", "2027-01-06T23:00:00Z/2027-01-07T03:00:00Z"]
    );
    let hour = Duration::from_secs(3600);
    assert_eq!(nightly.admit(at("2026-12-19T22:00:00Z"), hour), Ok(()));
    let late = nightly.admit(at("2026-12-19T22:00:01Z"), hour).unwrap_err();
    assert_eq!(late.why, "the window closes at 2026-12-20 00:00 (Europe/Berlin); a turn takes 1 h");
    assert_eq!(late.opens_at, Some(at("2027-01-06T23:00:00Z")));
    let only_dark = Windows { open: Vec::new(), ..nightly };
    let opens_at = Some(at("2027-01-06T23:00:00Z"));
    assert_eq!(only_dark.stands(at("2026-12-20T08:00:00Z")), WindowStands::Closed { opens_at });
    assert_eq!(only_dark.stands(at("2027-02-01T00:00:00Z")), WindowStands::Open { closes_at: None });
}

#[test]
fn a_window_that_is_too_short_or_never_comes_admits_nothing_and_says_so() {
    let short = daily("UTC", (1, 0), (1, 30));
    let refused = short.admit(at("2026-11-23T01:00:00Z"), Duration::from_secs(1801)).unwrap_err();
    assert_eq!(refused.why, "no window of the next 400 days is as long as a turn, which takes 30 min 1 s");
    assert_eq!(refused.opens_at, None);
    assert_eq!(short.admit(at("2026-11-23T01:00:00Z"), Duration::from_secs(1800)), Ok(()));
    assert!(short.admit(at("2026-11-23T01:00:00Z"), Duration::MAX).is_err());
    let mut never = short.clone();
    never.blackouts = vec![Blackout { from: date(2026, 1, 1), until: date(2030, 1, 1), why: None }];
    assert_eq!(never.stands(at("2026-11-23T01:00:00Z")), WindowStands::Closed { opens_at: None });
    let uneven = windows(
        "UTC",
        vec![window(&[Weekday::Monday], (1, 0), (2, 0)), window(&[Weekday::Sunday], (1, 0), (5, 0))],
    );
    let refused = uneven.admit(at("2026-11-23T01:30:00Z"), Duration::from_secs(7200)).unwrap_err();
    assert_eq!(refused.opens_at, Some(at("2026-11-29T01:00:00Z")), "the next that is long enough");
}

#[test]
fn an_unknown_zone_is_closed_and_no_windows_are_always_open() {
    let nowhere = daily("Mars/Olympus", (0, 0), (0, 0));
    let now = at("2026-11-23T01:00:00Z");
    assert_eq!(nowhere.stands(now), WindowStands::Closed { opens_at: None });
    assert!(nowhere.admit(now, Duration::ZERO).unwrap_err().why.contains("Mars/Olympus"));
    assert_eq!(nowhere.openings(now, at("2027-01-01T00:00:00Z")), []);
    assert_eq!(Windows::default().admit(now, Duration::MAX), Ok(()));
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let mut nightly = daily("Europe/Berlin", (22, 0), (4, 0));
    nightly.blackouts =
        vec![Blackout { from: jiff::civil::Date::MIN, until: jiff::civil::Date::MAX, why: None }];
    for windows in [daily("Europe/Berlin", (22, 0), (4, 0)), nightly] {
        for now in [Timestamp::MIN, Timestamp::MAX] {
            drop((windows.stands(now), windows.admit(now, Duration::from_secs(60))));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// What is admitted lies in one opening, what is promised to open does, and looking ahead never goes back.
    #[test]
    fn what_is_admitted_is_over_before_the_window_closes(
        (from, until) in ((0..24_i8, 0..60_i8), (0..24_i8, 0..60_i8)),
        day in 0..7_usize,
        zone in prop_oneof![Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe")],
        hours in 0..9000_i64,
        takes in 0..20_000_u64,
    ) {
        let windows = windows(zone, vec![window(&[spec::days::ALL[day]], from, until)]);
        let now = at("2026-01-01T00:00:00Z") + jiff::SignedDuration::from_hours(hours);
        let end = |begins: Timestamp| begins + jiff::SignedDuration::from_secs(takes.try_into().unwrap());
        let inside = |begins: Timestamp| {
            let around = windows.openings(now - jiff::SignedDuration::from_hours(48), end(begins) + jiff::SignedDuration::from_hours(48));
            around.iter().any(|(start, close)| *start <= begins && end(begins) <= *close)
        };
        match windows.admit(now, Duration::from_secs(takes)) {
            Ok(()) => prop_assert!(inside(now)),
            Err(NotNow { opens_at: Some(opens_at), .. }) => {
                prop_assert!(!inside(now) && opens_at > now && inside(opens_at));
            }
            Err(NotNow { opens_at: None, .. }) => prop_assert!(!inside(now)),
        }
    }
}

#[test]
fn a_closed_window_says_which_blackout_keeps_it_closed() {
    let mut nightly = daily("Europe/Berlin", (22, 0), (4, 0));
    let why = Some("peak season".to_owned());
    nightly.blackouts = vec![Blackout { from: date(2026, 12, 20), until: date(2027, 1, 6), why }];
    assert_eq!(nightly.closed_why(at("2026-12-10T12:00:00Z")), "the window is closed");
    // Berlin is at +01: it is the 20th already.
    assert_eq!(
        nightly.closed_why(at("2026-12-19T23:30:00Z")),
        "the window is closed, for there is a blackout until the end of 2027-01-06: peak season"
    );
}
