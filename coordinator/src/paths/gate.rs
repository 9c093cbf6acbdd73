//! Gates of the table: what must hold before a hop to some builds.

use proto::Version;
use serde::Deserialize;

use super::range::{InvalidRange, Range};

/// How strongly a gate speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth knowing.
    Info,
    /// A person should think about it.
    Warn,
    /// It must not go on.
    Block,
}

/// What must hold before a hop to some builds, in the vendor's words. An advisory or a check of the same id judges it.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Its word: the id of an advisory or a check.
    pub id: String,
    /// The token of the operating system it is about; all if `None`.
    pub os: Option<String>,
    /// What must hold, in words.
    pub check: String,
    /// How strongly it speaks.
    pub weight: Weight,
    /// Where the vendor says so.
    pub source: String,
    target: Range,
    from: Option<Range>,
    lowest: Option<Version>,
    highest: Option<Version>,
}

impl Gate {
    /// Whether it is about a hop between these versions.
    pub fn is_about(&self, from: Version, to: Version) -> bool {
        self.target.contains(to.release)
            && self.from.as_ref().is_none_or(|range| range.contains(from.release))
            && self.lowest.is_none_or(|lowest| to >= lowest)
            && self.highest.is_none_or(|highest| to <= highest)
    }
}

/// A gate as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateRow {
    id: String,
    target: String,
    from: Option<String>,
    target_build_min: Option<Version>,
    target_build_max: Option<Version>,
    os: Option<String>,
    check: String,
    severity: Weight,
    source: String,
}

impl GateRow {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn gate(&self) -> Result<Gate, InvalidRange> {
        Ok(Gate {
            id: self.id.clone(),
            os: self.os.clone(),
            check: self.check.clone(),
            weight: self.severity,
            source: self.source.clone(),
            target: Range::parse(&self.target)?,
            from: self.from.as_deref().map(Range::parse).transpose()?,
            lowest: self.target_build_min,
            highest: self.target_build_max,
        })
    }
}
