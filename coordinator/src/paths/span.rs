//! Stretches of versions that the vendor's table treats alike, and how people call them.

use std::fmt;

use proto::{Line, Release, Version};

/// All versions from `lo` up to, but without, `hi`; `None` for no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) lo: Version,
    pub(super) hi: Option<Version>,
}

impl Span {
    pub(super) fn of_version(version: Version) -> Self {
        Self { lo: version, hi: Some(next_build(version)) }
    }

    pub(super) fn of_release(release: Release) -> Self {
        Self { lo: first_of(release), hi: Some(first_of(next_patch(release))) }
    }

    pub(super) fn of_line(line: Line) -> Self {
        let next = Release::new(line.major, line.minor.saturating_add(1), 0);
        Self { lo: first_of(Release::new(line.major, line.minor, 0)), hi: Some(first_of(next)) }
    }

    pub(super) fn contains(&self, version: Version) -> bool {
        self.lo <= version && self.hi.is_none_or(|hi| version < hi)
    }

    /// What both have in common.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        let lo = self.lo.max(other.lo);
        let hi = match (self.hi, other.hi) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        hi.is_none_or(|hi| lo < hi).then_some(Self { lo, hi })
    }

    /// Whether everything in here is below everything in the other.
    pub(super) fn is_below(&self, other: &Self) -> bool {
        self.hi.is_some_and(|hi| hi <= other.lo)
    }

    fn is_one_version(&self) -> bool {
        self.hi == Some(next_build(self.lo))
    }
}

/// The first version of a release that could exist.
pub(super) fn first_of(release: Release) -> Version {
    Version { release, build: 0 }
}

/// The version right after one, in the order of the four numbers.
pub(super) fn next_build(version: Version) -> Version {
    Version { build: version.build.saturating_add(1), ..version }
}

fn next_patch(release: Release) -> Release {
    Release { patch: release.patch.saturating_add(1), ..release }
}

/// In the words of the vendor's table: `6.0.x`, `8.0.2 to 8.0.10`, `8.0.16`, `5.0.2-20`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = Self::of_line(self.lo.line());
        let (lo, Some(hi)) = (self.lo.release, self.hi) else {
            return write!(f, "{} and above", self.lo.release);
        };
        if *self == line {
            write!(f, "{}.x", lo.line())
        } else if self.is_one_version() {
            write!(f, "{}", self.lo)
        } else if self.lo.build > 0 || hi.build > 0 {
            write!(f, "{} up to before {hi}", self.lo)
        } else if *self == Self::of_release(lo) {
            write!(f, "{lo}")
        } else if self.hi == line.hi {
            write!(f, "{lo} and later {}.x", lo.line())
        } else if hi.release.patch > 0 && hi.line() == lo.line() {
            write!(f, "{lo} to {}", Release { patch: hi.release.patch - 1, ..hi.release })
        } else {
            write!(f, "{lo} up to before {}", hi.release)
        }
    }
}
