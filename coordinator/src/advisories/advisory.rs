//! One advisory.

use proto::Version;

use super::builds::Builds;
use super::condition::Condition;
use crate::checks::Severity;

/// A hazard the vendor, or the operator, knows of.
#[derive(Clone, Debug)]
pub struct Advisory {
    /// A stable word, for programs, for `--accept` and for `ratchet why`.
    pub id: String,
    /// The hazard in one line.
    pub title: String,
    /// The vendor's and our names of what it covers: `RS196656`, `A1`, `§6 22`.
    pub rules: Vec<String>,
    /// How strongly it speaks where it applies.
    pub severity: Severity,
    /// How strongly it speaks where that cannot be told; never more than `severity`.
    pub cannot_tell: Severity,
    /// The versions it is about: what a hop installs. Any if empty.
    pub target: Vec<Builds>,
    /// The versions it is about: what a hop starts from. Any if empty.
    pub installed: Vec<Builds>,
    /// Who judges it.
    pub judged: Judged,
    /// Why it matters.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
    /// The builds that are free of it.
    pub fixed_in: Vec<Version>,
    /// Where the vendor says so.
    pub source: String,
    /// The promise it keeps, if one: then nobody can accept it away.
    pub promise: Option<String>,
}

/// Who judges an advisory.
#[derive(Clone, Debug)]
pub enum Judged {
    /// Its condition, on live facts.
    Here(Condition),
    /// Checks of these ids, which say what it would say.
    ByChecks(Vec<String>),
    /// Nobody: it cannot happen in what this program does, for this reason.
    Never(String),
}

/// A hazard that no machine can judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchecked {
    /// The vendor's name of it.
    pub rule: String,
    /// Why nobody judges it.
    pub reason: String,
}

impl Advisory {
    /// Its condition, if it is judged on live facts.
    pub fn condition(&self) -> Option<&Condition> {
        match &self.judged {
            Judged::Here(condition) => Some(condition),
            Judged::ByChecks(_) | Judged::Never(_) => None,
        }
    }

    /// Whether it is about a move to this version.
    pub(super) fn is_about_target(&self, to: Version) -> bool {
        inside(&self.target, to)
    }

    /// Whether it is about a move from any of these; `None` is a version that is not known, and so might be any.
    pub(super) fn is_about_start(&self, from: impl IntoIterator<Item = Option<Version>>) -> bool {
        from.into_iter().any(|version| version.is_none_or(|version| inside(&self.installed, version)))
    }
}

fn inside(ranges: &[Builds], version: Version) -> bool {
    ranges.is_empty() || ranges.iter().any(|range| range.contains(version))
}
