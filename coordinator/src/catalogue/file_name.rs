//! What the name of a package's file says (fact sheet §1.5).

use proto::{Arch, InvalidArch, InvalidVersion, OsToken, Version};

/// What a name says. The name proves nothing: the version inside the package is checked too (fact sheet §1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageName {
    /// The version it installs.
    pub version: Version,
    /// The operating system it is built for.
    pub os: OsToken,
    /// The architecture it is built for.
    pub arch: Arch,
}

/// Why a file's name does not tell what package it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPackageName {
    /// It is built differently.
    #[error(
        "`{0}` is not named like a package, redislabs-<X.Y.Z>-<B>-<os>-<arch>.tar; name its version, operating system and architecture explicitly"
    )]
    Form(String),
    /// The version in it is none.
    #[error("the version in the package name `{0}` cannot be read")]
    Version(String, #[source] InvalidVersion),
    /// The architecture in it is unknown.
    #[error("the architecture in the package name `{0}` cannot be read")]
    Arch(String, #[source] InvalidArch),
}

/// Reads `redislabs-<X.Y.Z>-<B>-<os>-<arch>.tar` or `.tar.gz`, alone or at the end of a path or a URL, with or without a
/// query.
pub fn parse_file_name(text: &str) -> Result<PackageName, InvalidPackageName> {
    let name = file_name(text);
    let form = || InvalidPackageName::Form(name.to_owned());
    let stem = name.strip_suffix(".tar.gz").or_else(|| name.strip_suffix(".tar")).ok_or_else(form)?;
    let rest = stem.strip_prefix("redislabs-").ok_or_else(form)?;
    let (rest, arch) = rest.rsplit_once('-').ok_or_else(form)?;
    let mut parts = rest.splitn(3, '-');
    let (Some(release), Some(build), Some(os)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(form());
    };
    let version = format!("{release}-{build}").parse();
    Ok(PackageName {
        version: version.map_err(|error| InvalidPackageName::Version(name.to_owned(), error))?,
        os: os_token(os).ok_or_else(form)?,
        arch: arch.parse().map_err(|error| InvalidPackageName::Arch(name.to_owned(), error))?,
    })
}

/// The last part of a path or URL, without query and fragment. A plain path may hold `?` and `#`: only a URL is cut there.
fn file_name(text: &str) -> &str {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.split(['?', '#']).next().unwrap_or(rest),
        None => text,
    };
    path.rsplit('/').next().unwrap_or(path)
}

/// Lower-case letters, digits and inner hyphens: `jammy`, `rhel9`, `rhel9-fips`.
fn os_token(text: &str) -> Option<OsToken> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well_formed = text.bytes().all(allowed) && text.split('-').all(|part| !part.is_empty());
    well_formed.then(|| OsToken(text.to_owned()))
}
