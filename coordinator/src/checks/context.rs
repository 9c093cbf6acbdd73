//! What a check may look at.

use jiff::Timestamp;
use proto::{Arch, NodeUid, OsToken, RunId, Version};

use super::Acceptance;
use crate::catalogue::{CatalogueEntry, NotFitting, OwnersWord, fitting};
use crate::paths::{Hop, NoPath, Table, UpgradePath};
use crate::snapshot::{Snapshot, Witness};

/// What a check may look at: values only.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The cluster.
    pub snapshot: &'a Snapshot,
    /// The vendor's table.
    pub table: &'a Table,
    /// The packages at hand.
    pub catalogue: &'a [CatalogueEntry],
    /// What the fleet owner says of packages; `None` where nobody asks.
    pub signed: Option<&'a OwnersWord>,
    /// What the checks are asked for.
    pub stage: Stage<'a>,
    /// What somebody accepts although it stands in the way.
    pub accepted: &'a [Acceptance],
    /// The run that asks, if one does: its own claims and nobody else's are in order.
    pub run: Option<&'a RunId>,
    /// The coordinator's clock.
    pub now: Timestamp,
}

/// What the checks are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// How the cluster is, without a target.
    Survey,
    /// Whether a plan may be made.
    Preflight {
        /// The target.
        target: Version,
        /// The path to it; `None` where an installed version is not known.
        path: Option<&'a Result<UpgradePath, NoPath>>,
    },
    /// Whether a node's turn may begin, just before it does (promise P4).
    Gate {
        /// The node.
        node: NodeUid,
        /// The hop's target.
        to: Version,
    },
}

impl<'a> Context<'a> {
    /// The targets of all hops that are planned or at work.
    pub(super) fn targets(&self) -> Vec<Version> {
        match self.stage {
            Stage::Survey => Vec::new(),
            Stage::Preflight { .. } => self.hops().iter().map(|hop| hop.to).collect(),
            Stage::Gate { to, .. } => vec![to],
        }
    }

    pub(super) fn hops(&self) -> &'a [Hop] {
        match self.stage {
            Stage::Preflight { path: Some(Ok(path)), .. } => &path.hops,
            Stage::Preflight { .. } | Stage::Survey | Stage::Gate { .. } => &[],
        }
    }

    /// The packages that were chosen for the nodes, each once.
    pub(super) fn chosen(&self) -> Vec<&'a CatalogueEntry> {
        let mut entries: Vec<&CatalogueEntry> = Vec::new();
        for witness in self.snapshot.witnesses() {
            entries.extend(self.packages_of(&witness).into_iter().flatten().flatten());
        }
        entries.sort_by_key(|entry| (entry.package.version, entry.package.sha256));
        entries.dedup_by_key(|entry| entry.package.sha256);
        entries
    }

    /// The package of every hop that a node takes part in; `None` where the node's version or platform is not known.
    pub(super) fn packages_of(
        &self,
        witness: &Witness<'a>,
    ) -> Option<Vec<Result<&'a CatalogueEntry, NotFitting>>> {
        let installed = witness.facts.installed.known()?.version;
        let (os, arch) = platform(witness)?;
        let ahead = self.hops().iter().filter(|hop| hop.to > installed);
        Some(ahead.map(|hop| fitting(self.catalogue, hop.to, &os, arch)).collect())
    }
}

/// The platform packages must be built for to fit a node, if the vendor has a name for it.
pub(crate) fn platform(witness: &Witness<'_>) -> Option<(OsToken, Arch)> {
    let os = witness.facts.os.known()?.token.clone()?;
    Some((os, *witness.facts.arch.known()?))
}
