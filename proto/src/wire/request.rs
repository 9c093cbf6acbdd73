//! What agents are asked, as values: requests exist only between the two sides, so their types live here.

use super::WireError;
use super::field::{Field, message, record};
use crate::{Authority, Fact, RunId, StepHistory, StepId, StepSpec, pb};

/// What to look at beyond the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observe {
    /// Whether to run `rlcheck`, which takes a while.
    pub run_rlcheck: bool,
    /// URLs of package sources to look at from the node.
    pub sources: Vec<String>,
    /// Facts to look up beyond the usual.
    pub facts: Vec<Fact>,
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

/// The run whose journals are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histories {
    /// The run.
    pub run: RunId,
}

record!(Observe => ObserveRequest as "observe" { run_rlcheck, sources, facts });
record!(CancelStep => CancelRequest as "cancel" { authority, step });
record!(Histories => HistoriesRequest as "histories" { run });
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

impl From<&[StepHistory]> for pb::HistoriesReply {
    fn from(steps: &[StepHistory]) -> Self {
        Self { steps: steps.iter().map(Field::put).collect() }
    }
}

impl TryFrom<pb::HistoriesReply> for Vec<StepHistory> {
    type Error = WireError;

    fn try_from(wire: pb::HistoriesReply) -> Result<Self, WireError> {
        Self::take(wire.steps).map_err(|error| error.within("histories.steps"))
    }
}
