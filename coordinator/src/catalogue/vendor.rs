//! The checksums that the vendor prints in its release notes, and what they are worth (fact sheet §1.6).

use std::collections::HashMap;
use std::fmt;

use proto::{Arch, OsToken, Sha256, Version};
use serde::{Deserialize, Serialize};

/// The checksums this program is built with.
const VENDOR_CHECKSUMS: &str = include_str!("../../data/package-checksums.toml");

/// All checksums the vendor has published, by version, operating system and architecture.
#[derive(Clone, Debug)]
pub struct VendorChecksums {
    digest: Sha256,
    rows: HashMap<(String, OsToken, Arch), Row>,
}

/// Why the vendor's checksums cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChecksumsError {
    /// The text is not TOML of the right form.
    #[error("the list of the vendor's checksums cannot be read")]
    Form(#[source] toml::de::Error),
    /// It is of another format.
    #[error("the list of the vendor's checksums has schema {0}; this program reads schema 1")]
    Schema(u32),
    /// A row is wrong.
    #[error("the vendor's checksum of {0} is wrong: {1}")]
    Row(String, &'static str),
}

/// What the vendor's release notes say of a package's bytes. None of these is proof of the version inside, and the notes
/// have errors, so the operator's word on the SHA-256 stands above all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorVerdict {
    /// The published SHA-256 is this one.
    Matches {
        /// The release note.
        source: String,
    },
    /// The published SHA-256 is another.
    Differs {
        /// What is published.
        published: Sha256,
        /// The release note.
        source: String,
    },
    /// The notes print one checksum under two builds, so one of them is a copy error: evidence for nothing.
    Ambiguous {
        /// The other build.
        with: Version,
        /// The release note.
        source: String,
    },
    /// Only an MD5 is published: it can show damage, not who made the bytes.
    OnlyMd5 {
        /// What is published, in hex.
        published: String,
        /// Whether the package's MD5 is the same, where it is known.
        agrees: Option<bool>,
        /// The release note.
        source: String,
    },
    /// Nothing is published.
    NotPublished,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    package: Vec<Row>,
    /// Rows that the vendor misprinted: the same as nothing published.
    #[serde(rename = "defective")]
    _defective: Vec<toml::Table>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    version: String,
    os: OsToken,
    arch: Arch,
    md5: Option<String>,
    sha256: Option<Sha256>,
    ambiguous_with: Option<Version>,
    #[serde(rename = "label")]
    _label: String,
    source: String,
}

impl VendorChecksums {
    /// The vendor's checksums, as this program was built with.
    pub fn published() -> Result<Self, ChecksumsError> {
        Self::parse(VENDOR_CHECKSUMS)
    }

    /// Reads checksums from TOML and checks every row.
    pub fn parse(text: &str) -> Result<Self, ChecksumsError> {
        let file: File = toml::from_str(text).map_err(ChecksumsError::Form)?;
        if file.schema != 1 {
            return Err(ChecksumsError::Schema(file.schema));
        }
        let mut rows = HashMap::new();
        for row in file.package {
            row.validate().map_err(|reason| ChecksumsError::Row(row.name(), reason))?;
            let name = row.name();
            if rows.insert((row.version.clone(), row.os.clone(), row.arch), row).is_some() {
                return Err(ChecksumsError::Row(name, "it is listed twice"));
            }
        }
        Ok(Self { digest: Sha256::of(text.as_bytes()), rows })
    }

    /// The SHA-256 of the list's text.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// What the vendor says of a package's bytes. `md5` is in hex, where it is known.
    pub fn verdict(
        &self,
        version: Version,
        os: &OsToken,
        arch: Arch,
        sha256: Sha256,
        md5: Option<&str>,
    ) -> VendorVerdict {
        match self.row(version, os, arch) {
            Some(row) => row.verdict(sha256, md5),
            None => VendorVerdict::NotPublished,
        }
    }

    /// The row of a version. The notes of 6.2.10 and 6.2.12 name no build, so their rows stand for any (fact sheet §1.6).
    fn row(&self, version: Version, os: &OsToken, arch: Arch) -> Option<&Row> {
        let of = |version: String| self.rows.get(&(version, os.clone(), arch));
        of(version.to_string()).or_else(|| of(version.release.to_string()))
    }
}

impl Row {
    fn name(&self) -> String {
        format!("{} for {}/{}", self.version, self.os, self.arch)
    }

    fn validate(&self) -> Result<(), &'static str> {
        let version =
            self.version.parse::<Version>().is_ok() || self.version.parse::<proto::Release>().is_ok();
        if !version {
            return Err("its version cannot be read");
        }
        match (&self.sha256, &self.md5) {
            (Some(_), None) => Ok(()),
            (None, Some(md5)) if md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(())
            }
            (None, Some(_)) => Err("its MD5 is not 32 hex digits"),
            _ => Err("it needs either an MD5 or a SHA-256"),
        }
    }

    fn verdict(&self, sha256: Sha256, md5: Option<&str>) -> VendorVerdict {
        let source = self.source.clone();
        if let Some(with) = self.ambiguous_with {
            return VendorVerdict::Ambiguous { with, source };
        }
        match (self.sha256, &self.md5) {
            (Some(published), _) if published == sha256 => VendorVerdict::Matches { source },
            (Some(published), _) => VendorVerdict::Differs { published, source },
            (None, Some(published)) => VendorVerdict::OnlyMd5 {
                published: published.clone(),
                agrees: md5.map(|md5| md5.eq_ignore_ascii_case(published)),
                source,
            },
            (None, None) => VendorVerdict::NotPublished,
        }
    }
}

/// In words, for people.
impl fmt::Display for VendorVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matches { .. } => f.write_str("the vendor has published this SHA-256"),
            Self::Differs { published, .. } => {
                write!(f, "the vendor has published another SHA-256, {}…", published.short())
            }
            Self::Ambiguous { with, .. } => {
                write!(f, "the vendor has published one checksum for this and for {with}, so it says nothing")
            }
            Self::OnlyMd5 { agrees: Some(true), .. } => {
                f.write_str("the vendor has published an MD5 only; it agrees")
            }
            Self::OnlyMd5 { agrees: Some(false), .. } => {
                f.write_str("the vendor has published an MD5 only; it is another")
            }
            Self::OnlyMd5 { agrees: None, .. } => {
                f.write_str("the vendor has published an MD5 only; not compared")
            }
            Self::NotPublished => f.write_str("the vendor has published no checksum"),
        }
    }
}
