//! Plans made from snapshots.

mod difference;
mod hazards;
mod plan;

use proto::Version;

use crate::catalogue::{CatalogueEntry, Origin, VendorVerdict};
use crate::paths::tests::packages;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn catalogue(versions: &[&str]) -> Vec<CatalogueEntry> {
    let entry = |package| CatalogueEntry {
        package,
        added_at: None,
        added_by: None,
        verdict: VendorVerdict::NotPublished,
        origin: Origin::Store,
    };
    packages(versions).into_iter().map(entry).collect()
}
