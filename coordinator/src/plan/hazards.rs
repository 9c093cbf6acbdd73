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
        *self.judged.borrow_mut().entry((from, to)).or_insert_with(|| self.judge(from, to))
    }

    fn judge(&self, from: Version, to: Version) -> bool {
        let Wanted { advisories, snapshot, .. } = self.wanted;
        self.strands_a_database(from, to) || advisories.hazardous(snapshot, from, to, &self.accepted)
    }

    /// Only the first hop finds databases as they are now: between hops they can be upgraded.
    fn strands_a_database(&self, from: Version, to: Version) -> bool {
        let first = self.lowest == Some(from) && !self.accepted.contains("database-versions");
        let bundled = self.wanted.table.bundled(to).filter(|_| first);
        bundled.is_some_and(|bundled| self.redis.iter().any(|redis| !bundled.versions.contains(redis)))
    }
}

/// `7.2` of `7.2.4`.
fn line(redis: &str) -> String {
    redis.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}
