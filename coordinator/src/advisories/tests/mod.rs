//! The vendor's advisories one by one, and what may never happen with any.

mod cases;
mod edges;
mod facts;
mod gates;
mod losses;
mod mistakes;
mod snapshots;
mod vendor;

use proto::Version;

use super::Advisories;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn vendor() -> Advisories {
    Advisories::vendor().unwrap_or_else(|error| panic!("{error:?}"))
}
