//! Versions as people type them when they only ask: the build, or the patch too, may be left out.

use std::fmt;
use std::str::FromStr;

use proto::{InvalidVersion, Line, Release, Version};

use super::span::Span;

/// A version, a release or a support line, for questions about upgrade paths. An upgrade itself needs a [`Version`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionSpec {
    /// `7.4.6-22`.
    Exact(Version),
    /// `7.4.6`: any build of it.
    Release(Release),
    /// `7.4` or `7.4.x`: any release of the line.
    Line(Line),
}

impl VersionSpec {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Exact(version) => Span::of_version(*version),
            Self::Release(release) => Span::of_release(*release),
            Self::Line(line) => Span::of_line(*line),
        }
    }
}

impl FromStr for VersionSpec {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        if text.contains('-') {
            return text.parse().map(Self::Exact);
        }
        let dots = text.matches('.').count();
        let line = text.strip_suffix(".x").or((dots == 1).then_some(text));
        let release = match line {
            Some(line) => format!("{line}.0").parse::<Release>(),
            None => text.parse::<Release>(),
        };
        let release = release.map_err(|error| InvalidVersion {
            text: text.to_owned(),
            expected: "X.Y.Z-B, like 7.4.6-22; X.Y.Z and X.Y do for questions",
            ..error
        })?;
        Ok(if line.is_some() { Self::Line(release.line()) } else { Self::Release(release) })
    }
}

impl From<Version> for VersionSpec {
    fn from(version: Version) -> Self {
        Self::Exact(version)
    }
}

impl fmt::Display for VersionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Release(release) => release.fmt(f),
            Self::Line(line) => line.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        for (text, shown) in
            [("7.4.6-22", "7.4.6-22"), ("7.4.6", "7.4.6"), ("7.22", "7.22"), ("6.0.x", "6.0")]
        {
            assert_eq!(text.parse::<VersionSpec>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "7", "7.x", "x", "7.4.6.x", "7.4-22", "7.4.x-22", "7..x", "v7.4", "7.4.6-", " 7.4"] {
            let error = text.parse::<VersionSpec>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }
}
