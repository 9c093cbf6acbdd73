//! `[[package]]`: packages the operator vouches for.

use std::collections::BTreeMap;

use proto::OsToken;
use toml::Value;

use super::PackageConfig;
use super::reader::{Mistakes, Reader, kind};
use crate::catalogue::{secret_in, shown_url};

pub(super) const KEYS: [&str; 6] = ["url", "sha256", "version", "os", "arch", "size"];
const URL: &str = "write where nodes fetch the archive: https://…, http://… or file:///…";

/// All packages. The same archive may be named with several URLs, but never as two different things.
pub(super) fn packages(readers: Vec<Reader>, mistakes: &mut Mistakes) -> Vec<PackageConfig> {
    let mut packages: Vec<PackageConfig> = Vec::new();
    let mut first_at = BTreeMap::new();
    for reader in readers {
        let key = reader.key("sha256");
        let Some(package) = package(reader, mistakes) else { continue };
        let first = first_at.entry(package.sha256).or_insert_with(|| (key.clone(), package.clone()));
        if !same_archive(&first.1, &package) {
            let reason = format!("`{}` is another version or platform of the same archive", first.0);
            mistakes.note(&key, reason, "compute the digest of this archive again: `sha256sum FILE`");
        }
        packages.push(package);
    }
    packages
}

fn same_archive(one: &PackageConfig, other: &PackageConfig) -> bool {
    (one.version, &one.os, one.arch) == (other.version, &other.os, other.arch)
}

fn package(mut reader: Reader, mistakes: &mut Mistakes) -> Option<PackageConfig> {
    let url = url(&mut reader, mistakes);
    let sha256 = reader.parsed("sha256", "write the archive's SHA-256: `sha256sum FILE`", mistakes);
    let version = reader.parsed("version", "write X.Y.Z-B as in the archive's name", mistakes);
    let os = os(&mut reader, mistakes);
    let arch = reader.parsed("arch", "write \"amd64\" or \"arm64\"", mistakes);
    let size = size(&mut reader, mistakes);
    reader.finish(&KEYS, mistakes);
    Some(PackageConfig { url: url?, sha256: sha256?, version: version?, os: os?, arch: arch?, size })
}

fn url(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<String> {
    let url = reader.required("url", URL, mistakes)?;
    let well_formed = ["https://", "http://", "file:///"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !well_formed || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let reason = format!("`{}` is not a URL that nodes can fetch", shown_url(&url));
        mistakes.note(&reader.key("url"), reason, URL);
        return None;
    }
    if let Some(reason) = secret_in(&url) {
        let remedy =
            "serve the archive to the nodes without one, or copy it to each node and write file:///…";
        mistakes.note(&reader.key("url"), reason, remedy);
        return None;
    }
    Some(url)
}

fn os(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<OsToken> {
    let remedy = "write the word of the archive's name, like \"jammy\" or \"rhel9\"";
    let os = reader.required("os", remedy, mistakes)?;
    if os.is_empty() || !os.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        mistakes.note(&reader.key("os"), format!("`{os}` is not an operating system's word"), remedy);
        return None;
    }
    Some(OsToken(os))
}

fn size(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<u64> {
    let remedy = "write the archive's size in bytes, without quotes, or leave it out";
    match reader.take("size")? {
        Value::Integer(bytes) if bytes > 0 => u64::try_from(bytes).ok(),
        Value::Integer(bytes) => {
            mistakes.note(&reader.key("size"), format!("{bytes} is not a size"), remedy);
            None
        }
        other => {
            mistakes.note(&reader.key("size"), format!("it is {}, not a number", kind(&other)), remedy);
            None
        }
    }
}
