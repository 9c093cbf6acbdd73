//! The vendor's facts, cell by cell, and the ways made of them.

mod avoid;
mod explain;
mod path;
mod table;

use proto::{Arch, OsToken, Package, Sha256, Version};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// Packages of these versions, as tests of paths and of plans have them at hand.
pub(crate) fn packages(versions: &[&str]) -> Vec<Package> {
    versions.iter().map(|text| package(text)).collect()
}

fn package(text: &str) -> Package {
    Package {
        sha256: Sha256::of(text.as_bytes()),
        version: version(text),
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        size: Some(1 << 30),
        sources: vec![format!("https://mirror.example/redislabs-{text}-jammy-amd64.tar")],
    }
}
