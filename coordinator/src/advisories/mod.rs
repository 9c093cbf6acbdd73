//! Advisories: the vendor's hazards as data, evaluated on live facts.
//!
//! Each is about hops between certain builds, and has a condition over named facts ([`facts`]). The answer has three
//! values: it applies, it does not apply, or that cannot be told. What cannot be told is never "does not apply".

mod advisory;
mod builds;
mod condition;
mod error;
pub mod facts;
mod file;
mod gates;
mod judge;
mod place;
mod reader;
mod told;
mod tree;
mod truth;
mod value;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proto::{Sha256, Version};

pub use advisory::{Advisory, Judged, Unchecked};
pub use builds::{Builds, InvalidBuilds};
pub use condition::{Condition, Operation, Test};
pub use error::{AdvisoryError, Mistake};
pub use judge::Applies;
pub use truth::Missing;
pub use value::{Dotted, Kind, Value};

use crate::checks::{Context, Finding, Severity, Stage};
use crate::paths::Hop;
use crate::snapshot::Snapshot;

/// The advisories this program is built with.
const VENDOR: &str = include_str!("../../data/advisories.toml");

/// The vendor's hazards, and the operator's own.
#[derive(Clone, Debug)]
pub struct Advisories {
    digest: Sha256,
    all: Vec<Advisory>,
    unchecked: Vec<Unchecked>,
}

impl Advisories {
    /// The advisories this program is built with.
    ///
    /// # Errors
    /// They are damaged.
    pub fn vendor() -> Result<Self, AdvisoryError> {
        Self::parse(VENDOR)
    }

    /// Reads advisories from TOML.
    ///
    /// # Errors
    /// Everything that is wrong with the text, at once.
    pub fn parse(text: &str) -> Result<Self, AdvisoryError> {
        let file = read(text, None, &BTreeSet::new())?;
        Ok(Self { digest: Sha256::of(text.as_bytes()), all: file.advisories, unchecked: file.unchecked })
    }

    /// Adds the operator's own advisories; `path` is for the error only. None of those at hand can be replaced.
    ///
    /// # Errors
    /// Everything that is wrong with the text, at once.
    pub fn with_own(mut self, text: &str, path: &Path) -> Result<Self, AdvisoryError> {
        let taken = self.ids().map(str::to_owned).collect();
        let file = read(text, Some(path.to_owned()), &taken)?;
        self.all.extend(file.advisories);
        self.unchecked.extend(file.unchecked);
        self.digest = Sha256::of(format!("{}\n{text}", self.digest).as_bytes());
        Ok(self)
    }

    /// The SHA-256 of the advisories' text, the operator's own included: what a plan was judged by.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// All of them, the vendor's first.
    pub fn all(&self) -> &[Advisory] {
        &self.all
    }

    /// Their ids: words that `--accept` and `ratchet why` take.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|advisory| advisory.id.as_str())
    }

    /// The advisory of this id.
    pub fn explain(&self, id: &str) -> Option<&Advisory> {
        self.all.iter().find(|advisory| advisory.id == id)
    }

    /// Hazards the vendor names that nobody judges, with the reasons.
    pub fn unchecked(&self) -> &[Unchecked] {
        &self.unchecked
    }

    /// What one of them says of a hop.
    pub fn verdict(&self, advisory: &Advisory, snapshot: &Snapshot, from: Version, to: Version) -> Applies {
        judge::judge(advisory, snapshot, from, to)
    }

    /// Whether a hop has a hazard that nobody could go on with: it applies and blocks, or that cannot be told and blocks.
    /// `accepted` ids are none.
    pub fn hazardous(
        &self,
        snapshot: &Snapshot,
        from: Version,
        to: Version,
        accepted: &BTreeSet<&str>,
    ) -> bool {
        let open = |advisory: &&Advisory| {
            advisory.severity == Severity::Block
                && (advisory.promise.is_some() || !accepted.contains(advisory.id.as_str()))
        };
        self.all.iter().filter(open).any(|advisory| match self.verdict(advisory, snapshot, from, to) {
            Applies::Yes { .. } => true,
            Applies::No => false,
            Applies::CannotTell { .. } => advisory.cannot_tell == Severity::Block,
        })
    }

    /// What they say of a cluster before a plan: one finding for each that applies or may apply, and one for the rest.
    pub fn findings(&self, context: &Context<'_>) -> Vec<Finding> {
        let Stage::Preflight { path: Some(Ok(path)), .. } = context.stage else { return Vec::new() };
        let mut findings = Vec::new();
        let mut free = 0;
        for advisory in self.all.iter().filter(|advisory| advisory.condition().is_some()) {
            match self.finding(advisory, context.snapshot, &path.hops) {
                Some(finding) => findings.push(finding),
                None => free += 1,
            }
        }
        findings.extend(gates::findings(self, context, &path.hops));
        if free > 0 {
            findings.push(told::free(free));
        }
        findings
    }

    fn finding(&self, advisory: &Advisory, snapshot: &Snapshot, hops: &[Hop]) -> Option<Finding> {
        let judged = hops.iter().map(|hop| (hop, self.verdict(advisory, snapshot, hop.from, hop.to)));
        told::finding(advisory, judged)
    }
}

fn read(text: &str, path: Option<PathBuf>, taken: &BTreeSet<String>) -> Result<file::File, AdvisoryError> {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(source) => return Err(AdvisoryError::Syntax { path, source: Box::new(source) }),
    };
    file::read(table, taken).map_err(|mistakes| AdvisoryError::Mistakes { path, mistakes })
}

#[cfg(test)]
mod tests;
