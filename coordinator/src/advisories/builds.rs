//! Ranges of builds, as advisories write them: `>=8.0.16-0, <8.0.20-96`.

use std::fmt;

use proto::{Release, Version};

/// A range of builds. A bound without a build means the whole release: `<=8.0.20` has every build of 8.0.20 in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builds {
    text: String,
    /// The first build in it.
    from: Version,
    /// The first build above it; `None` for no end.
    below: Option<Version>,
}

/// Why a text is no range of builds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of builds: write it like `>=8.0.16-0, <8.0.20-96`")]
pub struct InvalidBuilds(String);

impl Builds {
    /// Reads a range.
    ///
    /// # Errors
    /// The text is not a list of comparisons with versions, or nothing could be in the range.
    pub fn parse(text: &str) -> Result<Self, InvalidBuilds> {
        let invalid = || InvalidBuilds(text.to_owned());
        let mut builds = Self { text: text.to_owned(), from: Version::new(0, 0, 0, 0), below: None };
        for comparison in text.split(',') {
            let (from, below) = bounds(comparison.trim()).ok_or_else(invalid)?;
            builds.from = builds.from.max(from);
            builds.below = match (builds.below, below) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        let empty = builds.below.is_some_and(|below| below <= builds.from);
        if empty { Err(invalid()) } else { Ok(builds) }
    }

    /// Whether a build lies in the range.
    pub fn contains(&self, version: Version) -> bool {
        self.from <= version && self.below.is_none_or(|below| version < below)
    }
}

impl fmt::Display for Builds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The first build a comparison lets in, and the first one above all that it lets in.
fn bounds(comparison: &str) -> Option<(Version, Option<Version>)> {
    let lowest = Version::new(0, 0, 0, 0);
    for operator in [">=", "<=", "<", ">", "="] {
        let Some(bound) = comparison.strip_prefix(operator) else { continue };
        let (first, after) = bound_of(bound.trim())?;
        return Some(match operator {
            ">=" => (first, None),
            "<=" => (lowest, Some(after)),
            "<" => (lowest, Some(first)),
            ">" => (after, None),
            _ => (first, Some(after)),
        });
    }
    None
}

/// The first build a bound means, and the first after all it means.
fn bound_of(text: &str) -> Option<(Version, Version)> {
    if let Ok(version) = text.parse::<Version>() {
        return Some((version, Version { build: version.build.checked_add(1)?, ..version }));
    }
    let release: Release = text.parse().ok()?;
    let next = Release { patch: release.patch.checked_add(1)?, ..release };
    Some((Version { release, build: 0 }, Version { release: next, build: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(range: &str, version: &str) -> bool {
        Builds::parse(range).unwrap().contains(version.parse().unwrap())
    }

    #[test]
    fn builds_count() {
        for (range, yes, no) in [
            (">=8.0.16-0, <8.0.20-96", "8.0.20-95", "8.0.20-96"),
            (">=8.0.16-0, <8.0.20-96", "8.0.16-0", "8.0.10-81"),
            ("<=8.0.20-68", "8.0.20-68", "8.0.20-69"),
            ("=7.2.4-86", "7.2.4-86", "7.2.4-87"),
            (">7.4.2-54", "7.4.2-55", "7.4.2-54"),
            ("<7.22.0-95", "7.8.6-303", "7.22.0-95"),
        ] {
            assert!(inside(range, yes), "{range} {yes}");
            assert!(!inside(range, no), "{range} {no}");
        }
    }

    #[test]
    fn a_bound_without_a_build_is_the_whole_release() {
        for (range, yes, no) in [
            ("<=8.0.20", "8.0.20-999", "8.0.21-0"),
            ("<8.0.20", "8.0.19-999", "8.0.20-0"),
            (">8.0.20", "8.0.21-0", "8.0.20-999"),
            ("=8.0.16", "8.0.16-33", "8.0.17-0"),
        ] {
            assert!(inside(range, yes), "{range} {yes}");
            assert!(!inside(range, no), "{range} {no}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "8.0.20", "^8.0.20", ">=8.0", ">=8.0.16-0,", ">=8.0.16 <8.0.20", "<8.0.2, >=8.0.4", "*"]
        {
            assert!(Builds::parse(text).is_err(), "{text}");
        }
    }
}
