//! Versions of the vendor's software, and the ranges its tables are written in (fact sheet §1.4, §1.5).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A build of the product, `X.Y.Z-B`. The four numbers compare as numbers, so 7.22 is above 7.8 and 7.4.2-216 is above
/// 7.4.2-54 (fact sheet §1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// The patch release this is a build of.
    pub release: Release,
    /// The maintenance build, the number behind the hyphen.
    pub build: u32,
}

/// A patch release, `X.Y.Z`, without its build: what the vendor's tables name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Release {
    /// First number of the support line.
    pub major: u32,
    /// Second number of the support line.
    pub minor: u32,
    /// The patch number.
    pub patch: u32,
}

/// Why a text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}; a version reads {expected}")]
pub struct InvalidVersion {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
    /// An example of the right form.
    pub expected: &'static str,
}

const VERSION_FORM: &str = "X.Y.Z-B, like 7.4.6-22";
const RELEASE_FORM: &str = "X.Y.Z, like 7.4.6";

impl Version {
    /// Builds a version from its four numbers.
    pub const fn new(major: u32, minor: u32, patch: u32, build: u32) -> Self {
        Self { release: Release::new(major, minor, patch), build }
    }

    /// The support line, `X.Y`.
    pub fn line(&self) -> Line {
        self.release.line()
    }
}

impl Release {
    /// Builds a release from its three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The support line, `X.Y`.
    pub fn line(&self) -> Line {
        Line { major: self.major, minor: self.minor }
    }

    fn semver(&self) -> semver::Version {
        semver::Version::new(self.major.into(), self.minor.into(), self.patch.into())
    }
}

/// A support line, `X.Y`, for instance 7.22.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.release, self.build)
    }
}

impl FromStr for Release {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = |reason| InvalidVersion { text: text.to_owned(), reason, expected: RELEASE_FORM };
        let parts: Vec<&str> = text.split('.').collect();
        let [major, minor, patch] = parts[..] else {
            return Err(invalid("it needs three numbers between dots"));
        };
        let number = |part| number(part).map_err(invalid);
        Ok(Self::new(number(major)?, number(minor)?, number(patch)?))
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = |reason| InvalidVersion { text: text.to_owned(), reason, expected: VERSION_FORM };
        let (release, build) = text.split_once('-').ok_or_else(|| invalid("it has no build number"))?;
        let release = release.parse::<Release>().map_err(|error| invalid(error.reason))?;
        Ok(Self { release, build: number(build).map_err(invalid)? })
    }
}

/// Digits only: no sign, no blank, nothing that `u32` cannot hold.
fn number(part: &str) -> Result<u32, &'static str> {
    if part.is_empty() {
        return Err("a number is missing");
    }
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("something in it is not a decimal number");
    }
    part.parse().map_err(|_| "a number in it is too large")
}

macro_rules! as_string {
    ($($type:ty),*) => {$(
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
        impl TryFrom<String> for $type {
            type Error = InvalidVersion;
            fn try_from(text: String) -> Result<Self, InvalidVersion> {
                text.parse()
            }
        }
    )*};
}
as_string!(Release, Version);

/// A range of releases as the vendor's table writes it, for instance `>=6.2.4, <6.2.10`.
///
/// Builds are left out of the comparison on purpose: to `semver` a `-N` suffix is a pre-release, and no range would match it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseRange(semver::VersionReq);

impl ReleaseRange {
    /// Whether the release lies in the range.
    pub fn contains(&self, release: Release) -> bool {
        self.0.matches(&release.semver())
    }
}

impl FromStr for ReleaseRange {
    type Err = semver::Error;

    fn from_str(text: &str) -> Result<Self, semver::Error> {
        semver::VersionReq::parse(text).map(Self)
    }
}

impl fmt::Display for ReleaseRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_compare_as_numbers() {
        assert!(version("7.22.0-95") > version("7.8.6-303"));
        assert!(version("7.4.2-216") > version("7.4.2-54"));
        assert!(version("8.0.2-17") < version("8.0.16-1"));
        assert_eq!(version("6.0.8-028"), version("6.0.8-28"));
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for text in [
            "",
            "7",
            "7.4",
            "7.4.6",
            "7.4.6-",
            "-22",
            "7.4.6-22-1",
            "7.4.6.1-22",
            " 7.4.6-22",
            "7.4.6-22 ",
            "+7.4.6-22",
            "7.4.x-22",
            "7.4.6-22~jammy",
            "٧.4.6-22",
            "4294967296.0.0-1",
            "7..6-22",
        ] {
            let error = text.parse::<Version>().unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.to_string().contains("X.Y.Z-B"), "{error}");
        }
    }

    #[test]
    fn a_range_ignores_the_build() {
        let range: ReleaseRange = ">=7.4.0, <7.5.0".parse().unwrap();
        assert!(range.contains(version("7.4.6-22").release));
        assert!(!range.contains(version("7.22.0-95").release));
        assert!(!range.contains(version("7.5.0-1").release));
    }

    fn any_version() -> impl Strategy<Value = Version> {
        (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>())
            .prop_map(|(a, b, c, d)| Version::new(a, b, c, d))
    }

    proptest! {
        #[test]
        fn reads_back_what_it_prints(version in any_version()) {
            prop_assert_eq!(version.to_string().parse::<Version>().unwrap(), version);
            let json = serde_json::to_string(&version).unwrap();
            prop_assert_eq!(serde_json::from_str::<Version>(&json).unwrap(), version);
        }

        #[test]
        fn orders_like_the_four_numbers(a in any::<[u8; 4]>(), b in any::<[u8; 4]>()) {
            let version = |n: [u8; 4]| Version::new(n[0].into(), n[1].into(), n[2].into(), n[3].into());
            prop_assert_eq!(version(a).cmp(&version(b)), a.cmp(&b));
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = text.parse::<Version>();
        }

        #[test]
        fn accepts_only_its_grammar(text in "[0-9.\\-]{1,12}") {
            let parts: Vec<&str> = text.split(['.', '-']).collect();
            let in_form = text.matches('.').count() == 3 - 1
                && text.matches('-').count() == 1
                && text.find('-') > text.rfind('.')
                && parts.iter().all(|part| !part.is_empty() && part.parse::<u32>().is_ok());
            prop_assert_eq!(text.parse::<Version>().is_ok(), in_form, "{}", text);
        }
    }
}
