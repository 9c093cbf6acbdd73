//! Advisories: the vendor's hazards as data, evaluated on live facts.

use proto::Sha256;

use crate::checks::{Context, Finding};

/// The vendor's hazards, and the operator's own.
#[derive(Clone, Debug)]
pub struct Advisories {
    digest: Sha256,
}

/// Why advisories cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryError {}

impl Advisories {
    /// The advisories this program is built with.
    pub fn vendor() -> Result<Self, AdvisoryError> {
        Ok(Self { digest: Sha256::of(b"") })
    }

    /// The SHA-256 of the advisories' text: what a plan was judged by.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// What they say of a cluster at this stage.
    pub fn findings(&self, _context: &Context<'_>) -> Vec<Finding> {
        Vec::new()
    }
}
