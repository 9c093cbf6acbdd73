//! The vendor's table of upgrade paths, as data (fact sheet §1.1–§1.4).

use std::collections::{BTreeMap, BTreeSet};

use proto::{Line, Release, Sha256, Version};
use serde::{Deserialize, Serialize};

use super::explain::RowDocument;
use super::gate::Gate;
use super::origin::Origin;
use super::range::Range;
use super::span::{Span, first_of, next_build};
use super::table_file::{TableError, TableFile};

/// The table this program is built with.
const VENDOR_TABLE: &str = include_str!("../../data/upgrade-paths.toml");

/// Which upgrades the vendor supports, which Redis versions each release brings, and when support lines end.
#[derive(Clone, Debug)]
pub struct Table {
    origin: Origin,
    digest: Sha256,
    as_of: String,
    rules: Vec<Rule>,
    bundled: Vec<Bundled>,
    end_of_life: BTreeMap<String, jiff::civil::Date>,
    gates: Vec<Gate>,
    spans: Vec<Span>,
}

/// What the table says about one upgrade. Only `Allowed` lets it happen (promise P3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathVerdict {
    /// The vendor supports it.
    Allowed {
        /// Where the vendor says so.
        source: String,
        /// Whether today's table still prints it.
        status: Status,
        /// Whether it follows from prose and is in no table.
        inferred: bool,
    },
    /// The vendor says no.
    Denied {
        /// Where the vendor says so.
        source: String,
    },
    /// No row names it: refused like a no.
    Unknown,
    /// The target is not above the installed version; the vendor has no downgrade (fact sheet §7.2).
    NotAnUpgrade,
}

/// Whether a row is in the vendor's table of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In today's matrix.
    Current,
    /// Valid when it was published; the target is past its end of life or the row is no longer printed.
    Historical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) from: Range,
    pub(super) from_min_build: Option<Version>,
    pub(super) except_from_build: Vec<Version>,
    pub(super) to: Vec<Range>,
    pub(super) effect: Effect,
    pub(super) status: Status,
    pub(super) inferred: bool,
    pub(super) source: String,
}

/// The Redis versions that come with a range of cluster versions.
#[derive(Clone, Debug)]
pub struct Bundled {
    pub(super) cluster: Range,
    /// `X.Y` of each Redis version a database may run.
    pub versions: Vec<String>,
    /// `X.Y` of the version new databases get.
    pub default: String,
}

impl Table {
    /// The vendor's table, as this program was built with.
    pub fn vendor() -> Result<Self, TableError> {
        Self::parse(VENDOR_TABLE, Origin::BuiltIn)
    }

    /// Reads a table from TOML and checks every row.
    pub fn parse(text: &str, origin: Origin) -> Result<Self, TableError> {
        let file = TableFile::parse(text)?;
        let rules = file.rules()?;
        Ok(Self {
            origin,
            digest: Sha256::of(text.as_bytes()),
            as_of: file.as_of.clone(),
            bundled: file.bundled()?,
            end_of_life: file.end_of_life()?,
            gates: file.gates()?,
            spans: spans(&rules),
            rules,
        })
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What must hold before some hops. Each is judged by the advisory or the check of its id.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The SHA-256 of the table's text: what a plan was made with.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// The day of the vendor's newest change that is in here.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// Whether the vendor supports going from one version to another in one hop (fact sheet §1.4): a matching `deny` wins
    /// over every `allow`, and no match at all is `Unknown`.
    pub fn verdict(&self, from: Version, to: Version) -> PathVerdict {
        if to <= from {
            return PathVerdict::NotAnUpgrade;
        }
        let matching = || self.rules.iter().filter(move |rule| rule.is_from(from) && rule.is_to(to.release));
        if let Some(rule) = matching().find(|rule| rule.effect == Effect::Deny) {
            return PathVerdict::Denied { source: rule.source.clone() };
        }
        match matching().min_by_key(|rule| rule.status) {
            Some(rule) => PathVerdict::Allowed {
                source: rule.source.clone(),
                status: rule.status,
                inferred: rule.inferred,
            },
            None => PathVerdict::Unknown,
        }
    }

    /// The Redis versions that come with a cluster version; `None` where the vendor publishes no list.
    pub fn bundled(&self, cluster: Version) -> Option<&Bundled> {
        self.bundled.iter().find(|bundled| bundled.cluster.contains(cluster.release))
    }

    /// The last day of a support line, where the vendor has set it.
    pub fn end_of_life(&self, line: Line) -> Option<jiff::civil::Date> {
        self.end_of_life.get(&line.to_string()).copied()
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// All versions there can be, in stretches that the rules treat alike, ascending.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether some row lets an upgrade start here.
    pub(super) fn names_source(&self, version: Version) -> bool {
        self.allows().any(|rule| rule.is_from(version))
    }

    /// Whether some row lets an upgrade end here.
    pub(super) fn names_target(&self, version: Version) -> bool {
        self.allows().any(|rule| rule.is_to(version.release))
    }

    fn allows(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.effect == Effect::Allow)
    }
}

impl Rule {
    pub(super) fn is_from(&self, version: Version) -> bool {
        self.from.contains(version.release)
            && self.from_min_build.is_none_or(|lowest| version >= lowest)
            && !self.except_from_build.contains(&version)
    }

    pub(super) fn is_to(&self, release: Release) -> bool {
        self.to.iter().any(|range| range.contains(release))
    }

    pub(super) fn document(&self) -> RowDocument {
        RowDocument {
            from: self.from.as_str().to_owned(),
            to: self.to.iter().map(|range| range.as_str().to_owned()).collect(),
            allowed: self.effect == Effect::Allow,
            status: self.status,
            inferred: self.inferred,
            source: self.source.clone(),
        }
    }

    /// The first versions of the stretches in which this rule answers the same.
    fn cuts(&self) -> impl Iterator<Item = Version> {
        let ranges = std::iter::once(&self.from).chain(&self.to);
        let releases = ranges.flat_map(|range| range.cuts().iter().copied().map(first_of));
        let builds = self.except_from_build.iter().flat_map(|build| [*build, next_build(*build)]);
        releases.chain(builds).chain(self.from_min_build)
    }
}

fn spans(rules: &[Rule]) -> Vec<Span> {
    let mut cuts: BTreeSet<Version> = rules.iter().flat_map(Rule::cuts).collect();
    cuts.insert(Version::new(0, 0, 0, 0));
    let ends = cuts.iter().skip(1).copied().map(Some).chain([None]);
    cuts.iter().copied().zip(ends).map(|(lo, hi)| Span { lo, hi }).collect()
}
