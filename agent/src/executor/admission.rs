//! Whether an order is begun, joined or refused: a pure rule over what is known of the step's id.

use proto::{InstallSpec, RunId, StepId, StepKind, StepSpec};

use super::StepRecord;
use crate::refusal::Refusal;

/// What is asked for under a step's id.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The step.
    pub step: &'a StepId,
    /// The run that asks.
    pub run: &'a RunId,
    /// What it is to do.
    pub spec: &'a StepSpec,
    /// Whether nothing may be begun.
    pub only_join: bool,
}

/// How far a step has come that was ordered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is at work.
    Running,
    /// It has ended.
    Ended,
    /// It was cut off before its end.
    CutOff {
        /// Whether its one start is used up; only installs have one.
        start_used: bool,
    },
}

/// An install of which nothing was started.
const NEVER_STARTED: Stage = Stage::CutOff { start_used: false };

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is told, from the beginning or from where it is; nothing is begun.
    Join,
    /// It goes on where it was cut off.
    GoOn,
    /// It is written down, in place of what may have been written under its id, and begun.
    Order,
    /// It is asked for and, as far as is known, was never started; from now on it never can be: an order that is still
    /// on its way, or an op runner that is slow, comes too late. Whoever asked looks at the cluster again before it
    /// orders anything.
    Close,
}

/// The rule. `busy` is why no other step of its kind may begin now.
///
/// # Errors
/// The [`Refusal`], when nothing is to be begun or joined.
pub fn admission(
    asked: Asked<'_>,
    known: Option<(&StepRecord, Stage)>,
    stopping: bool,
    busy: Result<(), Refusal>,
) -> Result<Admission, Refusal> {
    let begin = match known {
        None => Admission::Order,
        Some((record, stage)) => {
            let same = record.run == *asked.run && record.spec == *asked.spec;
            let replaces = stage == NEVER_STARTED && may_replace(record, &asked);
            if !(same || replaces) {
                return Err(Refusal::DifferentSpec { step: asked.step.clone() });
            }
            match stage {
                Stage::Running | Stage::Ended => return Ok(Admission::Join),
                Stage::CutOff { .. } if same => Admission::GoOn,
                Stage::CutOff { .. } => Admission::Order,
            }
        }
    };
    if asked.only_join {
        return only_join(&asked, known.map(|(_, stage)| stage));
    }
    if stopping {
        return Err(Refusal::Stopping);
    }
    busy.map(|()| begin)
}

/// What is answered to somebody who asks for a step that is neither at work nor over. What is said of an install must
/// stay true whatever comes later (promise P4).
fn only_join(asked: &Asked<'_>, stage: Option<Stage>) -> Result<Admission, Refusal> {
    let step = asked.step.clone();
    match stage {
        _ if asked.spec.kind() == StepKind::Install => Ok(Admission::Close),
        None => Err(Refusal::NeverOrdered { step }),
        Some(_) => Err(Refusal::NotRunning { step }),
    }
}

/// An install that was never started may be ordered again after another look at the cluster: then it may expect
/// something else of its node, but it must do the same.
fn may_replace(record: &StepRecord, asked: &Asked<'_>) -> bool {
    let (StepSpec::Install(old), StepSpec::Install(new)) = (&record.spec, asked.spec) else { return false };
    let InstallSpec { expected_installed, expected_role, .. } = old.clone();
    record.run == *asked.run && *old == InstallSpec { expected_installed, expected_role, ..new.clone() }
}

#[cfg(test)]
mod tests;
