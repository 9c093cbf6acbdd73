//! What the vendor's installer knows: supported moves, bundled database versions (fact sheet §1.4), operating systems (§1.7).

use std::sync::LazyLock;

use proto::{Release, ReleaseRange, Version};
use serde::Deserialize;

const TABLE: &str = include_str!("../data/upgrade-paths.toml");

#[derive(Debug, Deserialize)]
struct Table {
    path: Vec<Move>,
    bundled_db: Vec<Bundle>,
}

#[derive(Debug, Deserialize)]
struct Move {
    from: ReleaseRange,
    to: Vec<ReleaseRange>,
    effect: Effect,
    from_min_build: Option<Version>,
    #[serde(default)]
    except_from_build: Vec<Version>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Deserialize)]
struct Bundle {
    cluster: ReleaseRange,
    default: String,
}

/// The file is part of the program, so it either always parses or no test passes; an empty table refuses everything.
static FACTS: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(TABLE).unwrap_or_else(|error| {
        tracing::error!(%error, "the table of supported moves does not parse; every move is refused");
        Table { path: Vec::new(), bundled_db: Vec::new() }
    })
});

impl Move {
    fn covers(&self, from: Version, to: Release) -> bool {
        self.from.contains(from.release) && self.to.iter().any(|range| range.contains(to))
    }

    fn excludes_build(&self, from: Version) -> bool {
        self.from_min_build.is_some_and(|least| from < least) || self.except_from_build.contains(&from)
    }
}

/// Whether the installer of `to` accepts a node at `from`. The same version again is a repair, which it accepts; a lower one never.
pub fn installer_accepts(from: Version, to: Version) -> bool {
    if from >= to {
        return from == to;
    }
    let covering = || FACTS.path.iter().filter(|row| row.covers(from, to.release));
    covering().all(|row| row.effect == Effect::Allow && !row.excludes_build(from))
        && covering().next().is_some()
}

/// The ranges the installer of `to` names when it refuses a source version.
pub fn accepted_sources(to: Version) -> Vec<String> {
    let reaches =
        |row: &&Move| row.effect == Effect::Allow && row.to.iter().any(|range| range.contains(to.release));
    FACTS.path.iter().filter(reaches).map(|row| row.from.to_string()).collect()
}

/// The database version new databases get on a cluster of this version, as `(major, minor)`.
pub fn default_database(version: Version) -> (u32, u32) {
    let row = FACTS.bundled_db.iter().find(|row| row.cluster.contains(version.release));
    row.and_then(|row| two_numbers(&row.default)).unwrap_or(match version.release {
        release if release >= Release::new(8, 0, 0) => (8, 6),
        release if release >= Release::new(6, 0, 0) => (6, 0),
        _ => (5, 0),
    })
}

fn two_numbers(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The full Redis version `rladmin` shows for a bundled line: the patch numbers the documentation's examples carry.
pub fn redis_version(line: (u32, u32)) -> String {
    let patch = match line {
        (5, 0) => 9,
        (6, 0) => 16,
        (6, 2) => 13,
        (7, 2) => 4,
        _ => 0,
    };
    format!("{}.{}.{patch}", line.0, line.1)
}

/// An operating system: its token in package names, and how it calls itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Os {
    /// The token in package names, for instance `jammy`.
    pub token: &'static str,
    /// `ID` of its os-release file.
    pub id: &'static str,
    /// `VERSION_ID` of its os-release file.
    pub version_id: &'static str,
    /// Whether its packages are `.deb` (else `.rpm`).
    pub deb: bool,
}

/// Every operating system a package is built for here (fact sheet §1.5).
pub const SYSTEMS: &[Os] = &[
    Os { token: "xenial", id: "ubuntu", version_id: "16.04", deb: true },
    Os { token: "bionic", id: "ubuntu", version_id: "18.04", deb: true },
    Os { token: "focal", id: "ubuntu", version_id: "20.04", deb: true },
    Os { token: "jammy", id: "ubuntu", version_id: "22.04", deb: true },
    Os { token: "rhel7", id: "rhel", version_id: "7.9", deb: false },
    Os { token: "rhel8", id: "rhel", version_id: "8.9", deb: false },
    Os { token: "rhel9", id: "rhel", version_id: "9.5", deb: false },
    Os { token: "amzn2", id: "amzn", version_id: "2", deb: false },
];

/// Looks an operating system up by its token.
pub fn system(token: &str) -> Option<Os> {
    SYSTEMS.iter().copied().find(|os| os.token == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(from: &str, to: &str) -> bool {
        installer_accepts(from.parse().unwrap(), to.parse().unwrap())
    }

    #[test]
    fn the_table_decides_by_patch_and_build() {
        for (from, to) in [
            ("7.4.2-54", "7.4.6-22"),
            ("6.4.2-94", "8.0.10-64"),
            ("5.6.0-31", "6.0.20-69"),
            ("5.0.2-30", "5.6.0-1"),
        ] {
            assert!(accepts(from, to), "{from} to {to}");
        }
        let refused = [
            ("6.2.8-1", "7.8.2-34"),
            ("6.4.2-94", "8.0.16-29"),
            ("5.6.0-31", "6.4.2-94"),
            ("7.4.6-22", "7.4.2-54"),
        ];
        for (from, to) in refused.into_iter().chain([("7.4.2-54", "9.0.0-1"), ("5.0.2-20", "5.6.0-1")]) {
            assert!(!accepts(from, to), "{from} to {to}");
        }
    }

    #[test]
    fn each_line_bundles_its_default() {
        let default = |text: &str| default_database(text.parse().unwrap());
        assert_eq!(default("5.6.0-31"), (5, 0));
        assert_eq!(default("6.0.20-69"), (6, 0));
        assert_eq!(default("7.4.2-54"), (7, 2));
        assert_eq!(default("7.22.0-95"), (7, 4));
        assert_eq!(default("8.0.6-54"), (8, 2));
        assert_eq!(default("8.2.0-25"), (8, 6));
    }
}
