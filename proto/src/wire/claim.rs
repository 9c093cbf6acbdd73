//! Claims and packages, and what is asked and answered about claims.

use super::WireError;
use super::field::{Field, message, record, word};
use crate::{
    AgentMemory, Arch, Authority, Claim, ClusterName, Epoch, Halt, NodeHalt, NodeUid, Package, RunId,
    SignedCatalogue, pb,
};

/// Who wants the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeClaim {
    /// The run.
    pub run: RunId,
    /// The cluster it upgrades.
    pub cluster: ClusterName,
    /// The driver's fencing number.
    pub epoch: Epoch,
    /// Who drives, for people.
    pub holder: String,
    /// The uid the node must have, where the driver knows it.
    pub expected_node: Option<NodeUid>,
}

/// Which catalogue a node keeps now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueKept {
    /// Its serial; `None` where no key is pinned on the node: then none is kept.
    pub serial: Option<u64>,
}

/// A claim as an agent granted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// Which memory the agent has.
    pub memory: AgentMemory,
}

/// Who wants a claim moved, and what they believe of it. The agent does it only if the holder is the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// The cluster.
    pub cluster: ClusterName,
    /// The uid the node must have, where the caller knows it.
    pub node: Option<NodeUid>,
    /// The run that holds the claim, as the caller saw it; `None`: nobody.
    pub expected: Option<RunId>,
    /// The fencing number to obey from now on; it must be above every one obeyed before.
    pub epoch: Epoch,
    /// Who takes over, for people.
    pub holder: String,
    /// The run that the claim goes to; `None`: the node becomes free, and only the epoch stays.
    pub run: Option<RunId>,
    /// Whether to do it although an install is at work, or may be.
    pub despite_install: bool,
}

/// What was there before a claim was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOver {
    /// The claim that was replaced; `None`: nobody held the node.
    pub before: Option<Claim>,
    /// Which memory the agent has.
    pub memory: AgentMemory,
}

/// A halt that is set or lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetHalt {
    /// Whose: [`NodeHalt::FLEET`], or the name of a rollout.
    pub source: String,
    /// Counts what this source has asked; a number below the highest that was obeyed is refused.
    pub number: u64,
    /// The halt; `None` to lift it.
    pub halt: Option<Halt>,
}

/// The halts of a node as they stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaltsNow {
    /// The halts.
    pub halts: Vec<NodeHalt>,
}

record!(Halt => Halt { by, why, at });
record!(NodeHalt => NodeHalt { source, halt });
record!(SetHalt => SetHaltRequest as "set_halt" { source, number, halt });
record!(HaltsNow => SetHaltReply as "halts" { halts });
record!(Claim => Claim as "claim" { run, cluster, epoch, holder, since });
record!(Authority => Authority { run, epoch });
record!(TakeClaim => ClaimRequest as "claim" { run, cluster, epoch, holder, expected_node });
record!(Claimed => ClaimReply as "claimed" { claim, memory });
record!(TakeOver => TakeOverRequest as "take_over" {
    cluster, node, expected, epoch, holder, run, despite_install
});
record!(TakenOver => TakeOverReply as "taken_over" { before, memory });
record!(Package => Package { sha256, version, os, arch, size, sources });
record!(CatalogueKept => SetCatalogueReply as "reply" { serial });
message!(SignedCatalogue => SetCatalogueRequest as "request");

impl Field<pb::SetCatalogueRequest> for SignedCatalogue {
    fn put(&self) -> pb::SetCatalogueRequest {
        let Self { catalogue, signature } = self;
        pb::SetCatalogueRequest { catalogue: catalogue.clone().into_bytes(), signature: signature.clone() }
    }

    fn take(wire: pb::SetCatalogueRequest) -> Result<Self, WireError> {
        let catalogue = String::from_utf8(wire.catalogue)
            .map_err(|_| WireError::new("it is not UTF-8").within("catalogue"))?;
        Ok(Self { catalogue, signature: wire.signature })
    }
}

word!(Arch { Amd64, Arm64 });

impl From<&Authority> for pb::ReleaseRequest {
    fn from(authority: &Authority) -> Self {
        Self { authority: authority.put() }
    }
}

impl TryFrom<pb::ReleaseRequest> for Authority {
    type Error = WireError;

    fn try_from(wire: pb::ReleaseRequest) -> Result<Self, WireError> {
        Self::take(wire.authority).map_err(|error| error.within("release.authority"))
    }
}
