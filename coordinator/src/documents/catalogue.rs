//! What `catalogue keygen|new|sign|verify|show` answer.

use jiff::Timestamp;
use proto::OwnedCatalogue;
use serde::{Deserialize, Serialize};

use super::Document;

/// A catalogue of the fleet owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CatalogueDocument {
    /// `ratchet.signed-catalogue/1`.
    pub schema: String,
    /// Its file.
    pub file: String,
    /// Grows with each catalogue.
    pub serial: u64,
    /// After this it allows nothing.
    pub expires: Timestamp,
    /// The only fleet it is for.
    pub fleet: Option<String>,
    /// Whether its signature was verified with a key that was named.
    pub verified: bool,
    /// Where its signature is, if there is one.
    pub signature: Option<String>,
    /// What may be installed.
    pub packages: Vec<CatalogueRow>,
}

/// A package that the owner allows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CatalogueRow {
    /// The version it installs.
    pub version: String,
    /// The operating system it is built for.
    pub os: String,
    /// The architecture it is built for.
    pub arch: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
}

/// A key of the fleet owner that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CatalogueKeyDocument {
    /// `ratchet.catalogue-key/1`.
    pub schema: String,
    /// The public key, as agent.toml wants it.
    pub public_key: String,
    /// The file with it.
    pub public_file: String,
    /// The file with the secret key.
    pub secret_file: String,
}

impl CatalogueDocument {
    /// A catalogue in a file.
    pub fn of(catalogue: &OwnedCatalogue, file: String, signature: Option<String>, verified: bool) -> Self {
        let row = |package: &proto::OwnedPackage| CatalogueRow {
            version: package.version.to_string(),
            os: package.os.to_string(),
            arch: package.arch.to_string(),
            sha256: package.sha256.to_string(),
            size: package.size,
        };
        Self {
            schema: Self::SCHEMA.to_owned(),
            file,
            serial: catalogue.serial,
            expires: catalogue.expires,
            fleet: catalogue.fleet.as_ref().map(ToString::to_string),
            verified,
            signature,
            packages: catalogue.packages.iter().map(row).collect(),
        }
    }
}

impl Document for CatalogueDocument {
    const SCHEMA: &'static str = "ratchet.signed-catalogue/1";
}

impl Document for CatalogueKeyDocument {
    const SCHEMA: &'static str = "ratchet.catalogue-key/1";
}
