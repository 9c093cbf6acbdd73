//! Upgrade paths: the hops that lead from the installed version to the target.

use std::collections::BTreeSet;

use proto::{Package, Version};
use serde::{Deserialize, Serialize};

use super::search::{Candidate, search};
use super::table::{PathVerdict, Status, Table};
use super::way::{find_way, nearest_sources, nearest_targets};

/// A list of hops, each of which the vendor supports and has a package at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradePath {
    /// The hops, ascending; never empty.
    pub hops: Vec<Hop>,
}

/// One supported move between two versions: a complete upgrade of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The lowest version a node has before it.
    pub from: Version,
    /// The version every node has after it.
    pub to: Version,
    /// Where the vendor says that it is supported.
    pub source: String,
    /// Whether today's table still prints it.
    pub status: Status,
    /// Whether it follows from prose and is in no table.
    pub inferred: bool,
}

/// Why there is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPath {
    /// It is installed.
    #[error("{version} is installed already; there is nothing to do")]
    AlreadyThere {
        /// The version.
        version: Version,
    },
    /// It would go down.
    #[error("{to} is below the installed {from}, and the vendor's software has no downgrade")]
    Downgrade {
        /// The highest installed version.
        from: Version,
        /// The target.
        to: Version,
    },
    /// No row starts at the installed version.
    #[error(
        "no row of the vendor's table starts from {version}, so nothing is supported from it{}",
        near(nearest)
    )]
    UnknownSource {
        /// The installed version.
        version: Version,
        /// Versions near it that rows start from.
        nearest: Vec<String>,
    },
    /// No row ends at the target.
    #[error(
        "no row of the vendor's table ends at {version}, so no upgrade to it is supported{}",
        near(nearest)
    )]
    UnknownTarget {
        /// The target.
        version: Version,
        /// Targets near it that can be reached.
        nearest: Vec<String>,
    },
    /// Both are known, but nothing leads from the one to the other.
    #[error("the vendor supports no way from {from} to {to}{}", near(nearest))]
    Unsupported {
        /// The lowest installed version.
        from: Version,
        /// The target.
        to: Version,
        /// Targets near it that can be reached.
        nearest: Vec<String>,
    },
    /// The vendor supports a way, but packages for it are missing.
    #[error("the vendor supports {}, but no package of {} is at hand", way.join(" → "), missing.join(" and of "))]
    MissingPackages {
        /// The stops, the installed version first: versions or lines such as `6.0.x`.
        way: Vec<String>,
        /// Those of them that no package is at hand for.
        missing: Vec<String>,
    },
}

fn near(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        some => format!("; the nearest supported: {}", some.join(" or ")),
    }
}

impl NoPath {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::AlreadyThere { .. } => "nothing needs to be done".to_owned(),
            Self::Downgrade { .. } => "choose a target above every installed version".to_owned(),
            Self::UnknownSource { .. } => {
                "`ratchet paths` lists the table; ask the vendor about this version".to_owned()
            }
            Self::UnknownTarget { nearest, .. } | Self::Unsupported { nearest, .. } => match nearest.last() {
                Some(target) => {
                    format!(
                        "choose a supported target, for instance {target}; `ratchet paths` lists the table"
                    )
                }
                None => "`ratchet paths` lists the table; ask the vendor about this upgrade".to_owned(),
            },
            Self::MissingPackages { missing, .. } => {
                format!(
                    "add a package of {} with `ratchet package add FILE|URL`",
                    missing.join(" and one of ")
                )
            }
        }
    }
}

/// The best path from one version to another with the packages at hand: fewest hops, then rows of today's table, then
/// higher stops in between. The packages must be those that fit the nodes.
pub fn find_path(
    table: &Table,
    from: Version,
    to: Version,
    packages: &[Package],
) -> Result<UpgradePath, NoPath> {
    let at_hand: BTreeSet<Version> = packages.iter().map(|package| package.version).collect();
    find_path_for(table, &BTreeSet::from([from]), to, &at_hand, &|_, _| false)
}

/// The same for a cluster with several installed versions: nodes already at a hop's target wait for the others, and each
/// hop is supported from every version below its target. A way over hops that are to be avoided is taken only where there
/// is no other, however many hops the other has.
pub fn find_path_for(
    table: &Table,
    installed: &BTreeSet<Version>,
    to: Version,
    at_hand: &BTreeSet<Version>,
    avoid: &dyn Fn(Version, Version) -> bool,
) -> Result<UpgradePath, NoPath> {
    let below: BTreeSet<Version> = installed.iter().copied().filter(|version| *version != to).collect();
    match below.last() {
        None => return Err(NoPath::AlreadyThere { version: to }),
        Some(highest) if *highest > to => return Err(NoPath::Downgrade { from: *highest, to }),
        Some(_) => {}
    }
    if at_hand.contains(&to) {
        let between: Vec<_> =
            at_hand.iter().map(|version| Candidate { version: *version, at_hand: true }).collect();
        let search = |avoid| search(table, &below, to, &between, avoid);
        if let Some(stops) = search(avoid).or_else(|| search(&|_, _| false)) {
            return Ok(UpgradePath { hops: hops(table, &below, &stops) });
        }
    }
    Err(explain_failure(table, &below, to, at_hand))
}

fn hops(table: &Table, installed: &BTreeSet<Version>, stops: &[Version]) -> Vec<Hop> {
    let froms = installed.first().into_iter().chain(stops);
    froms.zip(stops).filter_map(|(from, to)| hop(table, *from, *to)).collect()
}

fn hop(table: &Table, from: Version, to: Version) -> Option<Hop> {
    match table.verdict(from, to) {
        PathVerdict::Allowed { source, status, inferred } => Some(Hop { from, to, source, status, inferred }),
        PathVerdict::Denied { .. } | PathVerdict::Unknown | PathVerdict::NotAnUpgrade => None,
    }
}

fn explain_failure(
    table: &Table,
    installed: &BTreeSet<Version>,
    to: Version,
    at_hand: &BTreeSet<Version>,
) -> NoPath {
    let Some(from) = installed.first().copied() else { return NoPath::AlreadyThere { version: to } };
    let versions: Vec<Version> = at_hand.iter().copied().collect();
    if let Some(way) = find_way(table, installed, to, &versions) {
        let stops = way.iter().map(|stop| stop.label.clone());
        let missing = way.iter().filter(|stop| !stop.at_hand).map(|stop| stop.label.clone()).collect();
        return NoPath::MissingPackages {
            way: std::iter::once(from.to_string()).chain(stops).collect(),
            missing,
        };
    }
    if let Some(unknown) = installed.iter().copied().find(|version| !table.names_source(*version)) {
        return NoPath::UnknownSource { version: unknown, nearest: nearest_sources(table, unknown) };
    }
    let nearest = nearest_targets(table, installed, to);
    if table.names_target(to) {
        NoPath::Unsupported { from, to, nearest }
    } else {
        NoPath::UnknownTarget { version: to, nearest }
    }
}
