//! The ranges of the vendor's table, and the places where its answers can change.

use proto::{InvalidVersion, Release, ReleaseRange};

/// A range of releases, with the releases at which it begins and ends.
#[derive(Clone, Debug)]
pub(super) struct Range {
    text: String,
    releases: ReleaseRange,
    cuts: Vec<Release>,
}

/// Why a text is not a range the table may use.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InvalidRange {
    /// The text is no list of comparisons.
    #[error("`{0}` is not a range of releases: write it like `>=6.2.4, <6.2.10`")]
    Form(String),
    /// Only `>=`, `<=`, `<` and `=` keep the ends of a range exact.
    #[error("`{0}` uses a comparison other than >=, <=, < and =")]
    Operator(String),
    /// A bound is not a release.
    #[error("a bound of the range `{0}` is not a release")]
    Bound(String, #[source] InvalidVersion),
}

impl Range {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRange> {
        let releases = text.parse().map_err(|_| InvalidRange::Form(text.to_owned()))?;
        let mut cuts = Vec::new();
        for comparison in text.split(',') {
            cuts.extend(cuts_of(comparison.trim(), text)?);
        }
        Ok(Self { text: text.to_owned(), releases, cuts })
    }

    pub(super) fn contains(&self, release: Release) -> bool {
        self.releases.contains(release)
    }

    /// The first releases of the stretches in which `contains` answers the same.
    pub(super) fn cuts(&self) -> &[Release] {
        &self.cuts
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

fn cuts_of(comparison: &str, text: &str) -> Result<Vec<Release>, InvalidRange> {
    let bound = |digits: &str| {
        digits.trim().parse::<Release>().map_err(|error| InvalidRange::Bound(text.to_owned(), error))
    };
    if let Some(digits) = comparison.strip_prefix(">=") {
        return Ok(vec![bound(digits)?]);
    }
    if let Some(digits) = comparison.strip_prefix("<=") {
        return Ok(vec![after(bound(digits)?)]);
    }
    if let Some(digits) = comparison.strip_prefix('<') {
        return Ok(vec![bound(digits)?]);
    }
    if let Some(digits) = comparison.strip_prefix('=') {
        let only = bound(digits)?;
        return Ok(vec![only, after(only)]);
    }
    Err(InvalidRange::Operator(text.to_owned()))
}

/// The release right after one, in the order of the three numbers.
fn after(release: Release) -> Release {
    Release { patch: release.patch.saturating_add(1), ..release }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_changes_only_at_a_cut() {
        for text in [">=6.2.4, <6.2.10", ">=8.0.2, <=8.0.10", "=8.0.16", "<5.6.0", ">=7.4.0"] {
            let range = Range::parse(text).unwrap();
            let mut last = None;
            for (major, minor, patch) in
                (4..9).flat_map(|a| (0..25).flat_map(move |b| (0..25).map(move |c| (a, b, c))))
            {
                let release = Release::new(major, minor, patch);
                let inside = range.contains(release);
                if last.is_some_and(|last| last != inside) {
                    let near = |cut: &Release| cut.line() == release.line() || release.patch == 0;
                    assert!(range.cuts().iter().any(near), "{text} changes at {release} without a cut");
                }
                last = Some(inside);
            }
        }
    }

    #[test]
    fn ranges_without_exact_ends_are_refused() {
        for text in
            ["", "^7.4.0", "~7.4", "7.4.0", "*", ">7.4.0", ">=7.4", ">=7.4.0 <7.5.0", ">=7.4.0,,<7.5.0"]
        {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }
}
