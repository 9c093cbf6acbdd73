//! The packages at hand: what their names say, what the vendor has published about them, which fit a node. Pure.

mod file_name;
mod owner;
mod url;
mod vendor;

use jiff::Timestamp;
use proto::{Arch, OsToken, Package, Sha256, Version};
use serde::{Deserialize, Serialize};

pub use file_name::{InvalidPackageName, PackageName, parse_file_name};
pub use owner::{OwnersWord, owners_word};
pub use url::{secret_in, shown_url};
pub use vendor::{ChecksumsError, VendorChecksums, VendorVerdict};

/// A package that the operator has named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// The package.
    pub package: Package,
    /// When it was added, if by command.
    pub added_at: Option<Timestamp>,
    /// Who added it, where that was written down.
    pub added_by: Option<String>,
    /// What the vendor's published checksums say of it.
    pub verdict: VendorVerdict,
    /// Who named it.
    pub origin: Origin,
}

/// Who named a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A `[[package]]` table of the configuration.
    Config,
    /// `ratchet package add`.
    Store,
}

/// Why no package can be chosen for a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFitting {
    /// There is none.
    #[error("no package of {version} for {os}/{arch} is at hand{}", others.as_ref().map(|other| format!("; there is one for {other}")).unwrap_or_default())]
    None {
        /// The version.
        version: Version,
        /// The node's operating system.
        os: OsToken,
        /// The node's architecture.
        arch: Arch,
        /// The platforms that packages of this version are at hand for.
        others: Option<String>,
    },
    /// There are several with different bytes, and nothing says which is right.
    #[error("{} different packages of {version} for {os}/{arch} are at hand: {}", digests.len(), digests.iter().map(Sha256::short).collect::<Vec<_>>().join(", "))]
    Several {
        /// The version.
        version: Version,
        /// The operating system.
        os: OsToken,
        /// The architecture.
        arch: Arch,
        /// Their digests.
        digests: Vec<Sha256>,
    },
}

impl NotFitting {
    /// What to do about it, as a command.
    pub fn remedy(&self) -> String {
        match self {
            Self::None { version, os, arch, .. } => {
                format!("ratchet package add FILE|URL   # redislabs-{version}-{os}-{arch}.tar")
            }
            Self::Several { digests, .. } => {
                let digest = digests.first().map(Sha256::short).unwrap_or_default();
                format!("ratchet package remove {digest}   # or the other one")
            }
        }
    }
}

/// The one package of a version that fits an operating system and architecture.
pub fn fitting<'a>(
    catalogue: &'a [CatalogueEntry],
    version: Version,
    os: &OsToken,
    arch: Arch,
) -> Result<&'a CatalogueEntry, NotFitting> {
    let of_version = || catalogue.iter().filter(move |entry| entry.package.version == version);
    let mut found: Vec<&CatalogueEntry> =
        of_version().filter(|entry| entry.package.os == *os && entry.package.arch == arch).collect();
    found.sort_by_key(|entry| entry.package.sha256);
    found.dedup_by_key(|entry| entry.package.sha256);
    match found[..] {
        [only] => Ok(only),
        [] => {
            let others: Vec<String> =
                of_version().map(|entry| format!("{}/{}", entry.package.os, entry.package.arch)).collect();
            let others = (!others.is_empty()).then(|| others.join(", "));
            Err(NotFitting::None { version, os: os.clone(), arch, others })
        }
        _ => {
            let digests = found.iter().map(|entry| entry.package.sha256).collect();
            Err(NotFitting::Several { version, os: os.clone(), arch, digests })
        }
    }
}

#[cfg(test)]
mod tests;
