//! Hops that a path had better avoid: what stands in the way of one may not stand in the way of another.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proto::Version;

use super::make::Wanted;

/// What is known of the hazards of hops. Each hop is judged once.
pub(super) struct Hazards<'a> {
    wanted: Wanted<'a>,
    accepted: BTreeSet<&'a str>,
    /// The lowest installed version: the start of the first hop.
    lowest: Option<Version>,
    /// `X.Y` of every Redis version a database runs.
    redis: BTreeSet<String>,
    judged: RefCell<BTreeMap<(Version, Version), bool>>,
}

/// What becomes of a database that a hop's target has no Redis for.
enum Stranded {
    /// There is none.
    None,
    /// It can be upgraded before the hop, on the version the cluster has now.
    CanBeUpgraded,
    /// Only a stop on the way brings a Redis that it can be upgraded to.
    NeedsAStop,
}

impl<'a> Hazards<'a> {
    pub(super) fn of(wanted: &Wanted<'a>, installed: &BTreeSet<Version>) -> Self {
        let rows = wanted.snapshot.views().flat_map(|(_, view)| &view.databases);
        Self {
            wanted: *wanted,
            accepted: wanted.accepted.iter().map(|acceptance| acceptance.id.as_str()).collect(),
            lowest: installed.first().copied(),
            redis: rows.filter_map(|row| row.redis_version.as_deref()).map(line).collect(),
            judged: RefCell::default(),
        }
    }

    /// Whether a hop would be stopped by an advisory, or by a database that its target has no Redis for.
    pub(super) fn on(&self, from: Version, to: Version) -> bool {
        !matches!(self.stranded(from, to), Stranded::None) || self.beyond_the_databases(from, to)
    }

    /// The same, except for databases that can be upgraded before the hop: another stop would not do that for anybody.
    pub(super) fn worth_a_stop(&self, from: Version, to: Version) -> bool {
        matches!(self.stranded(from, to), Stranded::NeedsAStop) || self.beyond_the_databases(from, to)
    }

    fn beyond_the_databases(&self, from: Version, to: Version) -> bool {
        let Wanted { advisories, snapshot, .. } = self.wanted;
        let judge = || advisories.hazardous(snapshot, from, to, &self.accepted);
        *self.judged.borrow_mut().entry((from, to)).or_insert_with(judge)
    }

    /// Only the first hop finds databases as they are now: between hops they can be upgraded.
    fn stranded(&self, from: Version, to: Version) -> Stranded {
        let first = self.lowest == Some(from) && !self.accepted.contains("database-versions");
        let Some(bundled) = self.wanted.table.bundled(to).filter(|_| first) else { return Stranded::None };
        if self.redis.iter().all(|redis| bundled.versions.contains(redis)) {
            return Stranded::None;
        }
        let now = self.wanted.table.bundled(from);
        let common = now.is_some_and(|now| now.versions.iter().any(|redis| bundled.versions.contains(redis)));
        if common { Stranded::CanBeUpgraded } else { Stranded::NeedsAStop }
    }
}

/// `7.2` of `7.2.4`.
fn line(redis: &str) -> String {
    redis.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}
