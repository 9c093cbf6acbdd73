//! What agents are asked, as values: requests exist only between the two sides, so their types live here.

use super::WireError;
use super::field::{Field, message, record};
use crate::{Authority, ClusterName, Epoch, NodeUid, RunId, StepId, StepSpec, pb};

/// What to look at beyond the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observe {
    /// Whether to run `rlcheck`, which takes a while.
    pub run_rlcheck: bool,
    /// URLs of package sources to look at from the node.
    pub sources: Vec<String>,
}

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

/// The step to do, or to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// The run and its epoch.
    pub authority: Authority,
    /// The step's id.
    pub step: StepId,
    /// What to do.
    pub spec: StepSpec,
    /// The first sequence number wanted, 1 or more.
    pub from_seq: u64,
    /// Whether to join the step only, and start nothing: an agent that has never been given it answers `not_found`.
    pub only_join: bool,
}

/// The step to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelStep {
    /// The run and its epoch.
    pub authority: Authority,
    /// The step's id.
    pub step: StepId,
}

record!(Observe => ObserveRequest as "observe" { run_rlcheck, sources });
record!(TakeClaim => ClaimRequest as "claim" { run, cluster, epoch, holder, expected_node });
record!(CancelStep => CancelRequest as "cancel" { authority, step });
message!(Execute => ExecuteRequest as "execute");

impl Field<pb::ExecuteRequest> for Execute {
    fn put(&self) -> pb::ExecuteRequest {
        let Self { authority, step, spec, from_seq, only_join } = self;
        pb::ExecuteRequest {
            authority: authority.put(),
            step: step.put(),
            spec: spec.put(),
            from_seq: *from_seq,
            only_join: *only_join,
        }
    }

    fn take(wire: pb::ExecuteRequest) -> Result<Self, WireError> {
        if wire.from_seq == 0 {
            return Err(WireError::new("events are numbered from 1").within("from_seq"));
        }
        Ok(Self {
            authority: Field::take(wire.authority).map_err(|error| error.within("authority"))?,
            step: Field::take(wire.step).map_err(|error| error.within("step"))?,
            spec: Field::take(wire.spec).map_err(|error| error.within("spec"))?,
            from_seq: wire.from_seq,
            only_join: wire.only_join,
        })
    }
}

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

impl From<&crate::Claim> for pb::ClaimReply {
    fn from(claim: &crate::Claim) -> Self {
        Self { claim: claim.put() }
    }
}

impl TryFrom<pb::ClaimReply> for crate::Claim {
    type Error = WireError;

    fn try_from(wire: pb::ClaimReply) -> Result<Self, WireError> {
        Self::take(wire.claim).map_err(|error| error.within("claim"))
    }
}
