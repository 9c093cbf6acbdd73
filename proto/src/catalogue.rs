//! The fleet owner's signed catalogue: which packages may be installed, until when. Pure: bytes, keys and the time come
//! in, a verdict comes out; coordinator, agent and op runner judge by the same code.

use std::collections::BTreeSet;

use jiff::Timestamp;
use minisign_verify::{PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::{Arch, FleetName, OsToken, Sha256, Version};

/// A catalogue of thousands of packages is below this; whatever is longer is none.
pub const MAX_CATALOGUE: usize = 1 << 20;

/// Longer than any signature that minisign writes.
const MAX_SIGNATURE: usize = 8 << 10;

/// The format that is written and read.
const SCHEMA: u32 = 1;

/// A catalogue with its detached signature, as they came: nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCatalogue {
    /// TOML, byte for byte as it was signed.
    pub catalogue: String,
    /// What minisign wrote beside it.
    pub signature: String,
}

/// A public key of the fleet owner: what minisign prints, `RWQ…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerKey {
    text: String,
    key: PublicKey,
}

/// Why a text is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no public key of minisign")]
pub struct KeyError(String);

/// What the owner allows to be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedCatalogue {
    schema: u32,
    /// Grows with each catalogue: a node takes none below the highest it has seen.
    pub serial: u64,
    /// After this it allows nothing.
    pub expires: Timestamp,
    /// The only fleet it is for; for every one that trusts the key if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetName>,
    /// What may be installed.
    #[serde(default, rename = "package")]
    pub packages: Vec<OwnedPackage>,
}

/// One package that the owner allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedPackage {
    /// The version it installs.
    pub version: Version,
    /// The operating system it is built for.
    pub os: OsToken,
    /// The architecture it is built for.
    pub arch: Arch,
    /// What its bytes hash to.
    pub sha256: Sha256,
    /// Its size in bytes, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Why a catalogue is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// It or its signature is longer than any catalogue.
    #[error("it has more than {MAX_CATALOGUE} bytes, or its signature more than {MAX_SIGNATURE}")]
    TooLong,
    /// The signature cannot be read.
    #[error("its signature is not one of minisign's")]
    NoSignature,
    /// None of the keys has made it: the bytes, the comment or the key are others, or it is of the legacy kind, which is
    /// not over a hash.
    #[error(
        "its signature is by none of the {keys} pinned key(s), or not over these bytes, or of the legacy kind"
    )]
    NotSigned {
        /// How many keys are pinned.
        keys: usize,
    },
    /// It is signed, and is not a catalogue.
    #[error("it is not a catalogue of packages: {0}")]
    Form(String),
    /// It is of a later format.
    #[error("it has schema {0}; this program reads schema {SCHEMA}")]
    Schema(u32),
    /// One package occurs twice: which row holds?
    #[error("it lists {0} twice")]
    Twice(Sha256),
}

/// Why a good catalogue holds no longer, or not here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untimely {
    /// Its time is over.
    #[error("it expired at {expires}")]
    Expired {
        /// When.
        expires: Timestamp,
    },
    /// A later one was seen.
    #[error("its serial is {serial}, and {highest} has been seen")]
    RolledBack {
        /// Its serial.
        serial: u64,
        /// The highest that was seen.
        highest: u64,
    },
    /// It is for another fleet.
    #[error("it is for fleet {named}, and this node is of {}", own.as_ref().map_or("none that its configuration names", FleetName::as_str))]
    OtherFleet {
        /// The fleet it names.
        named: FleetName,
        /// The fleet of the node.
        own: Option<FleetName>,
    },
}

/// Why a package is not among those that the owner allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotListed {
    /// Its bytes are not listed.
    #[error("SHA-256 {0} is not in it")]
    Unknown(Sha256),
    /// They are, as something else.
    #[error("it lists SHA-256 {} as {listed}, not as {asked}", sha256.short())]
    Differs {
        /// The bytes.
        sha256: Sha256,
        /// What the owner calls them.
        listed: String,
        /// What somebody else calls them.
        asked: String,
    },
}

impl OwnerKey {
    /// A key from the text that minisign prints, or from its file of two lines.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        match PublicKey::from_base64(line) {
            Ok(key) => Ok(Self { text: line.to_owned(), key }),
            Err(_) => Err(KeyError(line.chars().take(80).collect())),
        }
    }

    /// The key as minisign prints it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl SignedCatalogue {
    /// What is in it, if one of the keys has signed it.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub fn verify(&self, keys: &[OwnerKey]) -> Result<OwnedCatalogue, CatalogueError> {
        if self.catalogue.len() > MAX_CATALOGUE || self.signature.len() > MAX_SIGNATURE {
            return Err(CatalogueError::TooLong);
        }
        let signature = Signature::decode(&self.signature).map_err(|_| CatalogueError::NoSignature)?;
        let bytes = self.catalogue.as_bytes();
        // The last argument: no signature of the legacy kind.
        if !keys.iter().any(|owner| owner.key.verify(bytes, &signature, false).is_ok()) {
            return Err(CatalogueError::NotSigned { keys: keys.len() });
        }
        OwnedCatalogue::parse(&self.catalogue)
    }
}

impl OwnedCatalogue {
    /// A catalogue to be signed.
    ///
    /// # Errors
    /// [`CatalogueError::Twice`].
    pub fn new(
        serial: u64,
        expires: Timestamp,
        fleet: Option<FleetName>,
        packages: Vec<OwnedPackage>,
    ) -> Result<Self, CatalogueError> {
        Self { schema: SCHEMA, serial, expires, fleet, packages }.whole()
    }

    /// What a text says; who wrote it is another question.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        #[derive(Deserialize)]
        struct Named {
            schema: u32,
        }
        let form = |error: toml::de::Error| CatalogueError::Form(error.message().to_owned());
        let named: Named = toml::from_str(text).map_err(form)?;
        if named.schema != SCHEMA {
            return Err(CatalogueError::Schema(named.schema));
        }
        toml::from_str::<Self>(text).map_err(form)?.whole()
    }

    /// The text to sign.
    ///
    /// # Errors
    /// [`CatalogueError::Form`].
    pub fn render(&self) -> Result<String, CatalogueError> {
        toml::to_string(self).map_err(|error| CatalogueError::Form(error.to_string()))
    }

    fn whole(self) -> Result<Self, CatalogueError> {
        let mut seen = BTreeSet::new();
        match self.packages.iter().find(|package| !seen.insert(package.sha256)) {
            Some(package) => Err(CatalogueError::Twice(package.sha256)),
            None => Ok(self),
        }
    }

    /// Whether it holds: it has not expired, none with a higher serial was seen, and it is for this fleet.
    ///
    /// # Errors
    /// [`Untimely`].
    pub fn judge(&self, now: Timestamp, highest: u64, own: Option<&FleetName>) -> Result<(), Untimely> {
        if self.serial < highest {
            return Err(Untimely::RolledBack { serial: self.serial, highest });
        }
        if now >= self.expires {
            return Err(Untimely::Expired { expires: self.expires });
        }
        match &self.fleet {
            Some(named) if own != Some(named) => {
                Err(Untimely::OtherFleet { named: named.clone(), own: own.cloned() })
            }
            _ => Ok(()),
        }
    }

    /// The row of a package's bytes.
    ///
    /// # Errors
    /// [`NotListed::Unknown`].
    pub fn row(&self, sha256: &Sha256) -> Result<&OwnedPackage, NotListed> {
        let row = self.packages.iter().find(|row| row.sha256 == *sha256);
        row.ok_or(NotListed::Unknown(*sha256))
    }

    /// Whether these bytes may be installed as this version.
    ///
    /// # Errors
    /// [`NotListed`].
    pub fn allows_version(&self, sha256: &Sha256, version: Version) -> Result<&OwnedPackage, NotListed> {
        let row = self.row(sha256)?;
        if row.version == version {
            return Ok(row);
        }
        Err(NotListed::Differs { sha256: *sha256, listed: row.name(), asked: version.to_string() })
    }

    /// Whether a package is what the owner says it is, in every respect.
    ///
    /// # Errors
    /// [`NotListed`].
    pub fn allows(&self, package: &crate::Package) -> Result<(), NotListed> {
        let row = self.row(&package.sha256)?;
        let same_size = match (row.size, package.size) {
            (Some(listed), Some(asked)) => listed == asked,
            _ => true,
        };
        if same_size && (row.version, &row.os, row.arch) == (package.version, &package.os, package.arch) {
            return Ok(());
        }
        let sized = |name: String, size: Option<u64>| match size {
            Some(size) if !same_size => format!("{name} of {size} bytes"),
            _ => name,
        };
        let (listed, asked) = (sized(row.name(), row.size), sized(package.to_string(), package.size));
        Err(NotListed::Differs { sha256: package.sha256, listed, asked })
    }
}

impl OwnedPackage {
    fn name(&self) -> String {
        format!("{} for {}/{}", self.version, self.os, self.arch)
    }
}

#[cfg(test)]
mod tests;
