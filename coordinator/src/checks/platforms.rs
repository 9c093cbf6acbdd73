//! Which releases the vendor supports on which operating system, as data: `coordinator/data/platforms.toml` (fact sheet
//! §1.7).

use proto::{Arch, Version};
use serde::Deserialize;

/// The table this program is built with.
const VENDOR: &str = include_str!("../../data/platforms.toml");

/// Why the table of platforms cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlatformsError {
    /// The text is not TOML of the right form.
    #[error("the table of platforms cannot be read")]
    Form(#[source] toml::de::Error),
    /// It is of another format.
    #[error("the table of platforms has schema {0}; this program reads schema 1")]
    Schema(u32),
    /// It says nothing.
    #[error("the table of platforms has no row")]
    Empty,
    /// A row names no version at all.
    #[error("row {row} of the table of platforms is wrong: {from} is not below {below}")]
    Range {
        /// Counted from 1.
        row: usize,
        /// Its first version.
        from: Version,
        /// The first that is not in it any more.
        below: Version,
    },
    /// Two rows speak of the same versions.
    #[error("rows {0} and {1} of the table of platforms overlap")]
    Overlap(usize, usize),
}

/// The table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Platforms {
    schema: u32,
    pub(super) as_of: jiff::civil::Date,
    covers: Version,
    source_default: String,
    #[serde(default)]
    platform: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    os: String,
    arch: Arch,
    from: Version,
    below: Version,
    source: Option<String>,
}

/// What the vendor says of a version on a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Support<'a> {
    /// It is supported.
    Listed,
    /// The vendor's page does not speak of so old a release.
    NotCovered,
    /// The platform is listed for later versions only.
    Early {
        /// The first that is listed.
        from: Version,
        /// Where the vendor says so.
        source: &'a str,
    },
    /// The platform is not listed any more, or was never.
    NotListed {
        /// Where the vendor says so.
        source: &'a str,
    },
}

impl Platforms {
    /// The vendor's table.
    pub(super) fn vendor() -> Result<Self, PlatformsError> {
        Self::parse(VENDOR)
    }

    fn parse(text: &str) -> Result<Self, PlatformsError> {
        let table: Self = toml::from_str(text).map_err(PlatformsError::Form)?;
        match table.schema {
            1 if table.platform.is_empty() => Err(PlatformsError::Empty),
            1 => table.checked(),
            other => Err(PlatformsError::Schema(other)),
        }
    }

    fn checked(self) -> Result<Self, PlatformsError> {
        for (index, row) in self.platform.iter().enumerate() {
            if row.from >= row.below {
                return Err(PlatformsError::Range { row: index + 1, from: row.from, below: row.below });
            }
            let overlaps = |other: &Row| {
                (&other.os, other.arch) == (&row.os, row.arch)
                    && other.from < row.below
                    && row.from < other.below
            };
            if let Some(other) = self.platform.iter().take(index).position(overlaps) {
                return Err(PlatformsError::Overlap(other + 1, index + 1));
            }
        }
        Ok(self)
    }

    /// What the vendor says of a version on a platform.
    pub(super) fn support(&self, os: &str, arch: Arch, version: Version) -> Support<'_> {
        let rows = || self.platform.iter().filter(|row| row.os == os && row.arch == arch);
        if rows().any(|row| row.from <= version && version < row.below) {
            return Support::Listed;
        }
        if version < self.covers {
            return Support::NotCovered;
        }
        let source = rows().find_map(|row| row.source.as_deref()).unwrap_or(&self.source_default);
        match rows().map(|row| row.from).min() {
            Some(from) if version < from => Support::Early { from, source },
            Some(_) | None => Support::NotListed { source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cell of the vendor's page that a package name can stand for.
    #[test]
    fn the_vendors_page_is_repeated_cell_by_cell() {
        let lines = [
            "6.2.18-70",
            "6.4.2-131",
            "7.2.4-154",
            "7.4.6-280",
            "7.8.6-303",
            "7.22.2-179",
            "8.0.20-96",
            "8.2.0-46",
        ];
        let page = [
            ("rhel9", Arch::Amd64, "---xxxxx"),
            ("rhel9-fips", Arch::Amd64, "----xxxx"),
            ("rhel9", Arch::Arm64, "------xx"),
            ("rhel8", Arch::Amd64, "xxxxxxxx"),
            ("rhel7", Arch::Amd64, "xxx-----"),
            ("jammy", Arch::Amd64, "----xxxx"),
            ("jammy", Arch::Arm64, "------xx"),
            ("focal", Arch::Amd64, "-xxxxxxx"),
            ("focal", Arch::Arm64, "--------"),
            ("bionic", Arch::Amd64, "xxxx----"),
            ("xenial", Arch::Amd64, "xx------"),
            ("amzn2023", Arch::Amd64, "------xx"),
            ("amzn2", Arch::Amd64, "-xxxxxx-"),
            ("noble", Arch::Amd64, "--------"),
        ];
        let table = Platforms::vendor().unwrap();
        for (os, arch, expected) in page {
            let listed = |line: &&str| table.support(os, arch, line.parse().unwrap()) == Support::Listed;
            let found: String = lines.iter().map(|line| if listed(line) { 'x' } else { '-' }).collect();
            assert_eq!(found, expected, "{os} {arch}");
        }
    }

    #[test]
    fn builds_count_and_so_does_the_side_one_falls_off() {
        let table = Platforms::vendor().unwrap();
        let support = |os, version: &str| table.support(os, Arch::Amd64, version.parse().unwrap());
        assert!(matches!(support("jammy", "7.8.4-18"), Support::Early { .. }));
        assert_eq!(support("jammy", "7.8.4-66"), Support::Listed);
        assert_eq!(support("amzn2", "8.0.20-96"), Support::Listed);
        assert!(matches!(support("amzn2", "8.0.22-1"), Support::NotListed { .. }));
        assert!(matches!(support("rhel8", "8.4.0-1"), Support::NotListed { .. }), "nobody knows that yet");
        assert!(matches!(support("noble", "8.2.0-46"), Support::NotListed { .. }));
        assert_eq!(support("rhel7", "6.0.20-1"), Support::NotCovered);
    }

    #[test]
    fn a_wrong_table_is_refused() {
        let head = "schema = 1\nas_of = \"2026-08-21\"\ncovers = \"6.2.0-0\"\nsource_default = \"x\"\n";
        let row = |from: &str, below: &str| {
            format!(
                "[[platform]]\nos = \"rhel8\"\narch = \"amd64\"\nfrom = \"{from}\"\nbelow = \"{below}\"\n"
            )
        };
        let good = row("6.2.0-0", "7.5.0-0");
        assert!(Platforms::parse(&format!("{head}{good}")).is_ok());
        for (what, text) in [
            ("empty", head.to_owned()),
            ("newer", format!("{}{good}", head.replace("schema = 1", "schema = 2"))),
            ("a word nobody knows", format!("{head}{good}sauce = \"x\"\n")),
            ("upside down", format!("{head}{}", row("7.5.0-0", "7.5.0-0"))),
            ("no version", format!("{head}{}", row("7.5", "7.6.0-0"))),
            ("overlap", format!("{head}{good}{}", row("7.4.0-0", "7.8.0-0"))),
        ] {
            assert!(Platforms::parse(&text).is_err(), "{what}");
        }
    }
}
