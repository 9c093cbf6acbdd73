//! What `package add|list|show|remove` answer.

use serde::{Deserialize, Serialize};

use super::Document;

/// A package in the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageRow {
    /// Its SHA-256.
    pub sha256: String,
    /// The version it installs.
    pub version: String,
    /// The operating system it is built for.
    pub os: String,
    /// The architecture it is built for.
    pub arch: String,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Where it can be fetched from, best first.
    pub sources: Vec<String>,
    /// `configuration` or `catalogue`: who named it. Only the latter can be removed by command.
    pub origin: String,
    /// What the vendor's published checksums say of it, in words.
    pub vendor_checksum: String,
    /// What the fleet owner's signed catalogue says of it, in words.
    #[serde(default)]
    pub owner_catalogue: String,
    /// When it was added, if by command.
    pub added_at: Option<jiff::Timestamp>,
    /// Who added it, where that was written down.
    #[serde(default)]
    pub added_by: Option<String>,
}

/// What `package list` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackagesDocument {
    /// `ratchet.packages/1`.
    pub schema: String,
    /// All packages, by version, operating system and architecture.
    pub packages: Vec<PackageRow>,
}

/// What `package add` and `package show` answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageDocument {
    /// `ratchet.package/1`.
    pub schema: String,
    /// The package.
    pub package: PackageRow,
    /// Whether it was in the catalogue already.
    pub already_there: bool,
}

/// What `package remove` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemovedDocument {
    /// `ratchet.package-removed/1`.
    pub schema: String,
    /// The package that is no longer in the catalogue. Copies held by nodes stay.
    pub removed: PackageRow,
}

impl Document for PackagesDocument {
    const SCHEMA: &'static str = "ratchet.packages/1";
}

impl Document for PackageDocument {
    const SCHEMA: &'static str = "ratchet.package/1";
}

impl Document for RemovedDocument {
    const SCHEMA: &'static str = "ratchet.package-removed/1";
}
