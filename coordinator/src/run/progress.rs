//! A step's progress, thinned out for the store, with its rate.

use jiff::Timestamp;
use proto::{StepEvent, StepId, StepProgress};

use crate::store::StepProgressRow;

/// At most one row in so many milliseconds, so that a fast download does not busy the store.
const THIN_MS: i64 = 250;

/// Thins out a step's events and works out its rate.
#[derive(Debug)]
pub struct ProgressMeter {
    step: StepId,
    last: Option<(Timestamp, u64)>,
}

impl ProgressMeter {
    /// A meter for one step.
    pub fn new(step: StepId) -> Self {
        Self { step, last: None }
    }

    /// The row to store for an event, if it is time for one.
    pub fn note(&mut self, event: &StepEvent) -> Option<StepProgressRow> {
        match &event.what {
            StepProgress::Moved { doing, done, total } => self.moved(event.at, doing, *done, *total),
            StepProgress::Started { resumed: true } => {
                Some(self.row(event.at, "going on where it was".to_owned()))
            }
            StepProgress::Output(line) => self.said(event.at, line),
            StepProgress::Retry { cause, .. } => Some(self.row(event.at, format!("trying again: {cause}"))),
            StepProgress::Started { resumed: false } | StepProgress::Finished(_) => None,
        }
    }

    fn moved(
        &mut self,
        at: Timestamp,
        doing: &str,
        done: u64,
        total: Option<u64>,
    ) -> Option<StepProgressRow> {
        let rate = match self.last {
            Some((then, before)) => {
                let passed = at.as_millisecond() - then.as_millisecond();
                if passed < THIN_MS && total != Some(done) {
                    return None;
                }
                let bytes = done.saturating_sub(before);
                u64::try_from(passed).ok().filter(|passed| *passed > 0).map(|passed| bytes * 1000 / passed)
            }
            None => None,
        };
        self.last = Some((at, done));
        Some(StepProgressRow { done, total, rate, ..self.row(at, doing.to_owned()) })
    }

    fn said(&mut self, at: Timestamp, line: &str) -> Option<StepProgressRow> {
        let recent = self.last.is_some_and(|(then, _)| at.as_millisecond() - then.as_millisecond() < THIN_MS);
        if recent || line.trim().is_empty() {
            return None;
        }
        self.last = Some((at, 0));
        Some(self.row(at, line.to_owned()))
    }

    fn row(&self, at: Timestamp, doing: String) -> StepProgressRow {
        StepProgressRow { step: self.step.clone(), at, doing, done: 0, total: None, rate: None }
    }
}
