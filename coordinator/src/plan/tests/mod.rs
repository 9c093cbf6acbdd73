//! The vendor's facts and the plans made from them.

mod explain;
mod path;
mod plan;
mod table;

use proto::{Arch, OsToken, Package, Sha256, Version};

use crate::catalogue::{CatalogueEntry, Origin, VendorVerdict};

fn version(text: &str) -> Version {
    text.parse().unwrap()
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

fn packages(versions: &[&str]) -> Vec<Package> {
    versions.iter().map(|text| package(text)).collect()
}

fn catalogue(versions: &[&str]) -> Vec<CatalogueEntry> {
    let entry = |package| CatalogueEntry {
        package,
        added_at: None,
        verdict: VendorVerdict::NotPublished,
        origin: Origin::Store,
    };
    packages(versions).into_iter().map(entry).collect()
}
