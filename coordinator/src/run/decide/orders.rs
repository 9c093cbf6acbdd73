//! Orders for steps, and what their ends mean.

use proto::{Failure, NodeUid, StepId, StepOutcome, StepSpec};

use crate::run::{Run, StepOrder};

pub(super) fn order(run: &Run, node: NodeUid, hop: usize, spec: StepSpec) -> StepOrder {
    order_as(run, run.step_id(node, hop, spec.kind()), node, hop, spec)
}

pub(super) fn order_as(run: &Run, step: StepId, node: NodeUid, hop: usize, spec: StepSpec) -> StepOrder {
    match run.ledger.get(&step).filter(|entry| entry.in_flight()) {
        Some(entry) => StepOrder { step, node, hop, spec: entry.spec.clone(), new: false },
        None => StepOrder { step, node, hop, spec, new: true },
    }
}

/// Why a step ended without completing, if it did.
pub(super) fn failure_of(run: &Run, step: &StepId) -> Option<Failure> {
    match run.ledger.get(step)?.outcome()? {
        StepOutcome::Completed { .. } => None,
        StepOutcome::Failed(failure) => Some(failure.clone()),
        StepOutcome::Interrupted(reason) => Some(
            Failure::operator("interrupted", format!("step {step} was cut off"), resume_text(run))
                .because(reason.clone()),
        ),
        StepOutcome::Cancelled => {
            Some(Failure::operator("cancelled", format!("step {step} was cancelled"), resume_text(run)))
        }
    }
}

fn resume_text(run: &Run) -> String {
    format!("ratchet resume {}", run.id)
}
