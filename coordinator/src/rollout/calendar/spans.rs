//! Windows without blackouts, as instants.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::rollout::{Blackout, Window, Windows};

/// From when to when turns may be under way, in order, neither overlapping nor touching.
pub(super) type Spans = Vec<(Timestamp, Timestamp)>;

/// A window that began before the first moment is in it from its beginning; one that goes on beyond the last may be cut, but
/// not before that moment.
pub(super) fn spans(windows: &Windows, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Spans {
    let (first, last) = (date(zone, from, -2), date(zone, until, 2));
    let mut spans: Spans = if windows.open.is_empty() {
        vec![(instant(zone, midnight(first)), instant(zone, midnight(last)))]
    } else {
        days(first, last).flat_map(|day| of_day(windows, zone, day)).collect()
    };
    merge(&mut spans);
    for blackout in
        windows.blackouts.iter().filter(|blackout| blackout.until >= first && blackout.from <= last)
    {
        cut(&mut spans, &dark(zone, blackout));
    }
    spans
}

fn of_day<'a>(
    windows: &'a Windows,
    zone: &'a TimeZone,
    day: Date,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'a {
    let of_day = windows.open.iter().filter(move |window| window.days.contains(&day.weekday()));
    // A window whose whole time the clock skips does not open.
    of_day.map(move |window| of_window(window, zone, day)).filter(|(start, end)| start < end)
}

fn of_window(window: &Window, zone: &TimeZone, day: Date) -> (Timestamp, Timestamp) {
    let last = if window.until > window.from { day } else { tomorrow(day) };
    let start = instant(zone, day.to_datetime(window.from));
    (start, instant(zone, last.to_datetime(window.until)))
}

/// Both days are part of it.
fn dark(zone: &TimeZone, blackout: &Blackout) -> (Timestamp, Timestamp) {
    (instant(zone, midnight(blackout.from)), instant(zone, midnight(tomorrow(blackout.until))))
}

/// The first instant at which the clock shows this time, or has jumped over it. A time that comes twice is the first one: a
/// window that closes then is not open again an hour later.
fn instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let compatible = || zone.to_ambiguous_timestamp(civil).compatible().unwrap_or(beyond(civil));
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => compatible(),
        AmbiguousOffset::Gap { .. } => {
            let before = ambiguous.earlier().ok();
            let jump = before.and_then(|before| zone.following(before).next());
            jump.map_or_else(compatible, |jump| jump.timestamp())
        }
    }
}

/// Where a date is beyond what instants can say.
fn beyond(civil: DateTime) -> Timestamp {
    if civil.year() < 0 { Timestamp::MIN } else { Timestamp::MAX }
}

fn merge(spans: &mut Spans) {
    spans.sort_unstable();
    let mut merged = Spans::with_capacity(spans.len());
    for (start, end) in spans.drain(..) {
        match merged.last_mut() {
            Some((_, before)) if start <= *before => *before = end.max(*before),
            Some(_) | None => merged.push((start, end)),
        }
    }
    *spans = merged;
}

fn cut(spans: &mut Spans, (dark, light): &(Timestamp, Timestamp)) {
    let around = |(start, end): (Timestamp, Timestamp)| [(start, end.min(*dark)), (start.max(*light), end)];
    let cut: Spans = spans.drain(..).flat_map(around).filter(|(start, end)| start < end).collect();
    *spans = cut;
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day <= last)
}

fn date(zone: &TimeZone, at: Timestamp, days: i32) -> Date {
    let date = at.to_zoned(zone.clone()).date();
    date.saturating_add(jiff::Span::new().days(days))
}

fn tomorrow(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

fn midnight(date: Date) -> DateTime {
    date.to_datetime(Time::midnight())
}
