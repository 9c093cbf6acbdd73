//! Whether what the agents keep of a run fits its journal: they were ordered to do nothing that it does not have.

use std::collections::BTreeMap;

use proto::{Failure, NodeUid, StepHistory, StepId, StepOutcome, StepProgress};

use super::AgreementRow;
use crate::run::{Event, Record};

/// The steps of a journal, with how they ended.
#[derive(Debug)]
pub struct JournaledSteps<'a>(BTreeMap<&'a StepId, Option<&'a StepOutcome>>);

impl<'a> JournaledSteps<'a> {
    /// Those of a run.
    pub fn of(records: &'a [Record]) -> Self {
        let mut steps = BTreeMap::new();
        for record in records {
            match &record.event {
                Event::StepIntended { step, .. } => {
                    steps.entry(step).or_insert(None);
                }
                Event::StepEnded { step, outcome } => {
                    steps.insert(step, Some(&**outcome));
                }
                _ => {}
            }
        }
        Self(steps)
    }

    /// What does not fit in what an agent keeps. That it has forgotten steps is no contradiction.
    fn contradiction(&self, kept: &[StepHistory]) -> Option<String> {
        kept.iter().find_map(|history| match (self.0.get(&history.step), end_of(history)) {
            (None, _) => Some(format!("it was given {}, which the journal does not have", history.step)),
            // The other way round is no contradiction: a driver may have given a step up that its agent completed later.
            (Some(Some(StepOutcome::Completed { .. })), Some(kept)) if !completed(kept) => {
                Some(format!("it did not complete {}, and the journal says that it did", history.step))
            }
            _ => None,
        })
    }

    /// One agent's row.
    pub fn agreement(
        &self,
        node: NodeUid,
        address: &str,
        answer: Result<Vec<StepHistory>, Failure>,
    ) -> AgreementRow {
        let (agrees, detail) = match answer {
            Err(failure) => (None, failure.to_string()),
            Ok(kept) => match self.contradiction(&kept) {
                Some(contradiction) => (Some(false), contradiction),
                None => (Some(true), format!("steps it keeps: {}; all are in the journal", kept.len())),
            },
        };
        AgreementRow { node: node.0, address: address.to_owned(), agrees, detail }
    }
}

fn completed(outcome: &StepOutcome) -> bool {
    matches!(outcome, StepOutcome::Completed { .. })
}

fn end_of(history: &StepHistory) -> Option<&StepOutcome> {
    history.events.iter().rev().find_map(|event| match &event.what {
        StepProgress::Finished(outcome) => Some(&**outcome),
        _ => None,
    })
}
