//! Installation packages and the platforms they are built for (fact sheet §1.5, §1.7).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Sha256, Version};

/// A processor architecture. Package names write it in two ways: `amd64`/`arm64` and `x86_64`/`aarch64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Arch {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

/// Why a text is not an architecture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an architecture: use `amd64` (x86_64) or `arm64` (aarch64)")]
pub struct InvalidArch(pub String);

impl FromStr for Arch {
    type Err = InvalidArch;

    fn from_str(text: &str) -> Result<Self, InvalidArch> {
        match text {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            _ => Err(InvalidArch(text.to_owned())),
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        })
    }
}

impl TryFrom<String> for Arch {
    type Error = InvalidArch;
    fn try_from(text: String) -> Result<Self, InvalidArch> {
        text.parse()
    }
}

impl From<Arch> for String {
    fn from(arch: Arch) -> Self {
        arch.to_string()
    }
}

/// The operating system token of a package's name, for instance `jammy` or `rhel9` (fact sheet §1.5).
///
/// Kept as text: the vendor adds platforms, and a token nobody knows simply fits no node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OsToken(pub String);

impl fmt::Display for OsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An installation archive, known by its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What the archive's bytes must hash to.
    pub sha256: Sha256,
    /// The version it installs.
    pub version: Version,
    /// The operating system it is built for.
    pub os: OsToken,
    /// The architecture it is built for.
    pub arch: Arch,
    /// The archive's size in bytes, where it is known.
    pub size: Option<u64>,
    /// Where it can be fetched from, best first: `https://`, `http://` or `file://`.
    pub sources: Vec<String>,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}/{}", self.version, self.os, self.arch)
    }
}
