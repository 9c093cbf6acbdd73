//! The search for a way through the table: pure, over given versions only.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use proto::Version;

use super::table::{PathVerdict, Status, Table};

/// A version a way may stop at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) version: Version,
    pub(super) at_hand: bool,
}

/// A way so far. Of two with as many hops the smaller is better: fewer packages to get, fewer historical hops, higher
/// stops.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    missing: usize,
    historical: usize,
    stops: Reverse<Vec<Version>>,
}

/// Whether a hop between two versions is to be avoided.
pub(super) type Avoid<'a> = &'a dyn Fn(Version, Version) -> bool;

/// The targets of the hops that lead all `installed` versions to `to`, the last of which is `to`; fewest hops first, over
/// no hop that is to be avoided.
///
/// Several installed versions are a half upgraded cluster: every hop must be supported from each of them that is below
/// the hop's target and not reached by an earlier hop.
pub(super) fn search(
    table: &Table,
    installed: &BTreeSet<Version>,
    to: Version,
    between: &[Candidate],
    avoid: Avoid<'_>,
) -> Option<Vec<Version>> {
    let lowest = *installed.first()?;
    let goal = Candidate { version: to, at_hand: true };
    let stops: Vec<Candidate> =
        between.iter().copied().filter(|stop| stop.version < to).chain([goal]).collect();
    let start = Route { missing: 0, historical: 0, stops: Reverse(Vec::new()) };
    let mut frontier = BTreeMap::from([(lowest, start)]);
    let mut seen = BTreeSet::from([lowest]);
    let supported = |from, to| hop_status(table, installed, from, to).filter(|_| !avoid(from, to));
    while !frontier.is_empty() {
        frontier = one_hop_further(&supported, &frontier, &stops);
        if let Some(route) = frontier.remove(&to) {
            return Some(route.stops.0);
        }
        frontier.retain(|version, _| seen.insert(*version));
    }
    None
}

fn one_hop_further(
    supported: &impl Fn(Version, Version) -> Option<Status>,
    frontier: &BTreeMap<Version, Route>,
    stops: &[Candidate],
) -> BTreeMap<Version, Route> {
    let mut next: BTreeMap<Version, Route> = BTreeMap::new();
    for (from, route) in frontier {
        for stop in stops {
            let Some(status) = supported(*from, stop.version) else { continue };
            let longer = route.with(stop, status);
            let best = next.entry(stop.version).or_insert_with(|| longer.clone());
            if longer < *best {
                *best = longer;
            }
        }
    }
    next
}

impl Route {
    fn with(&self, stop: &Candidate, status: Status) -> Self {
        let mut stops = self.stops.0.clone();
        stops.push(stop.version);
        Self {
            missing: self.missing + usize::from(!stop.at_hand),
            historical: self.historical + usize::from(status == Status::Historical),
            stops: Reverse(stops),
        }
    }
}

/// Whether one hop is supported for every node that would take it, and how current the rows are; `None` if not.
pub(super) fn hop_status(
    table: &Table,
    installed: &BTreeSet<Version>,
    from: Version,
    to: Version,
) -> Option<Status> {
    let strays = installed.iter().copied().filter(|version| (from..to).contains(version));
    let mut worst = Status::Current;
    for version in std::iter::once(from).chain(strays) {
        match table.verdict(version, to) {
            PathVerdict::Allowed { status, .. } => worst = worst.max(status),
            PathVerdict::Denied { .. } | PathVerdict::Unknown | PathVerdict::NotAnUpgrade => return None,
        }
    }
    Some(worst)
}
