//! The steps at work, and which may be at work together.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use proto::{StepId, StepInFlight, StepKind};
use tokio_util::sync::CancellationToken;

use super::{History, StepRecord};
use crate::refusal::Refusal;

/// A step at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) record: StepRecord,
    pub(super) history: Arc<History>,
    pub(super) cancel: CancellationToken,
    pub(super) since: Timestamp,
}

/// All steps at work.
#[derive(Debug, Default)]
pub(super) struct RunningSteps {
    steps: BTreeMap<StepId, Running>,
}

impl RunningSteps {
    pub(super) fn get(&self, step: &StepId) -> Option<&Running> {
        self.steps.get(step)
    }

    pub(super) fn insert(&mut self, running: Running) {
        self.steps.insert(running.record.step.clone(), running);
    }

    pub(super) fn remove(&mut self, step: &StepId) {
        self.steps.remove(step);
    }

    /// The installation under way.
    pub(super) fn install(&self) -> Option<StepId> {
        let mut installs = self.steps.values().filter(|step| step.record.spec.kind() == StepKind::Install);
        installs.next().map(|step| step.record.step.clone())
    }

    /// Of the steps that want the node for themselves, one at a time.
    pub(super) fn refuse_if_busy(&self, kind: StepKind) -> Result<(), Refusal> {
        let blocking = self.steps.values().find(|step| is_exclusive(step.record.spec.kind()));
        match blocking {
            Some(step) if is_exclusive(kind) => Err(Refusal::Busy {
                step: step.record.step.clone(),
                kind: step.record.spec.kind(),
                since: step.since,
            }),
            _ => Ok(()),
        }
    }

    /// How many there are of each kind.
    pub(super) fn by_kind(&self) -> BTreeMap<StepKind, i64> {
        let mut counts = BTreeMap::new();
        for step in self.steps.values() {
            *counts.entry(step.record.spec.kind()).or_default() += 1;
        }
        counts
    }

    pub(super) fn current(&self) -> Option<StepInFlight> {
        let exclusive = self.steps.values().find(|step| is_exclusive(step.record.spec.kind()));
        let current = exclusive.or_else(|| self.steps.values().next())?;
        Some(StepInFlight {
            step: current.record.step.clone(),
            kind: current.record.spec.kind(),
            since: current.since,
        })
    }
}

/// Getting packages ready and gathering logs disturb nobody; everything that looks at or changes the product does.
fn is_exclusive(kind: StepKind) -> bool {
    match kind {
        StepKind::Fetch | StepKind::Unpack | StepKind::Collect => false,
        StepKind::Check | StepKind::Install | StepKind::Confirm | StepKind::Restart | StepKind::Tune => true,
    }
}
