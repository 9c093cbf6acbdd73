//! What the vendor's table would support if every package were at hand: in lines and ranges instead of builds.

use std::collections::BTreeSet;

use proto::Version;

use super::search::{Candidate, hop_status, search};
use super::span::Span;
use super::table::{PathVerdict, Status, Table};

/// One stop of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// A version that stands for all that would do.
    pub(super) version: Version,
    /// What would do, in the table's words, or the version at hand.
    pub(super) label: String,
    /// Whether a package is at hand.
    pub(super) at_hand: bool,
    /// The row that supports the hop to here.
    pub(super) source: String,
    /// How current that row is.
    pub(super) status: Status,
}

/// The way from the installed versions to a target, stopping wherever the table allows; `None` if there is none.
pub(super) fn find_way(
    table: &Table,
    installed: &BTreeSet<Version>,
    to: Version,
    at_hand: &[Version],
) -> Option<Vec<Stop>> {
    let lowest = *installed.first()?;
    let stops = search(table, installed, to, &between(table, lowest, to, at_hand), &|_, _| false)?;
    let froms = std::iter::once(lowest).chain(stops.iter().copied());
    let nexts = stops.iter().skip(1).copied().map(Some).chain([None]);
    let way = froms.zip(&stops).zip(nexts);
    way.map(|((from, stop), next)| describe(table, installed, at_hand, from, *stop, next)).collect()
}

/// One version for every stretch of the table between two versions: the highest at hand, else the first of the stretch.
fn between(table: &Table, lowest: Version, to: Version, at_hand: &[Version]) -> Vec<Candidate> {
    let inside = table.spans().iter().filter(|span| span.lo > lowest && span.is_below(&Span::of_version(to)));
    let usable = inside.filter(|span| is_stop(table, span.lo));
    usable
        .map(|span| match at_hand.iter().copied().filter(|version| span.contains(*version)).max() {
            Some(version) => Candidate { version, at_hand: true },
            None => Candidate { version: span.lo, at_hand: false },
        })
        .collect()
}

fn is_stop(table: &Table, version: Version) -> bool {
    table.names_source(version) && table.names_target(version)
}

fn describe(
    table: &Table,
    installed: &BTreeSet<Version>,
    at_hand: &[Version],
    from: Version,
    stop: Version,
    next: Option<Version>,
) -> Option<Stop> {
    let PathVerdict::Allowed { source, status, .. } = table.verdict(from, stop) else { return None };
    let is_at_hand = at_hand.contains(&stop);
    let label = match next {
        Some(next) if !is_at_hand => label_of_all_that_do(table, installed, from, stop, next),
        _ => stop.to_string(),
    };
    Some(Stop { version: stop, label, at_hand: is_at_hand, source, status })
}

/// `6.0.x` where every stretch of the line would do as this stop, else the stretch itself.
fn label_of_all_that_do(
    table: &Table,
    installed: &BTreeSet<Version>,
    from: Version,
    stop: Version,
    next: Version,
) -> String {
    let line = Span::of_line(stop.line());
    let does = |version: Version| {
        version > from
            && hop_status(table, installed, from, version).is_some()
            && hop_status(table, installed, version, next).is_some()
    };
    let of_line = || table.spans().iter().filter_map(|span| span.meet(&line));
    if of_line().filter(|span| is_stop(table, span.lo)).all(|span| does(span.lo)) {
        return line.to_string();
    }
    of_line().find(|span| span.contains(stop)).unwrap_or(line).to_string()
}

/// Targets near an unsupported one that can be reached: the highest below it and the lowest above it.
pub(super) fn nearest_targets(table: &Table, installed: &BTreeSet<Version>, to: Version) -> Vec<String> {
    let highest = installed.last().copied();
    let reachable = |span: &&Span| {
        highest.is_some_and(|highest| span.lo > highest)
            && table.names_target(span.lo)
            && find_way(table, installed, span.lo, &[]).is_some()
    };
    nearest(table, to, reachable)
}

/// Versions near one that no row starts from, from which some row does.
pub(super) fn nearest_sources(table: &Table, from: Version) -> Vec<String> {
    nearest(table, from, |span| table.names_source(span.lo))
}

fn nearest(table: &Table, version: Version, good: impl Fn(&&Span) -> bool) -> Vec<String> {
    let below = table.spans().iter().filter(|span| span.is_below(&Span::of_version(version))).filter(&good);
    let above = table.spans().iter().filter(|span| span.lo > version).filter(&good);
    below.last().into_iter().chain(above.take(1)).map(Span::to_string).collect()
}
