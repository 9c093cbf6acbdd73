//! The authority, and what others make of its certificates.

mod keeping;
mod verifying;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proto::Role;

use super::*;

/// A day.
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// An authority of the fleet `prod` for ten years.
pub(crate) fn founded(dir: &Path) -> Authority {
    found(dir, &"prod".parse().unwrap(), DAY * 3650, noon()).unwrap();
    Authority::open(dir, noon()).unwrap()
}

/// A certificate to make, for a year.
pub(crate) fn order(role: Role, name: &str, hosts: &[&str]) -> Order {
    Order {
        identity: format!("spiffe://prod/{role}/{name}").parse().unwrap(),
        hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        valid: DAY * 365,
        follows: false,
    }
}
