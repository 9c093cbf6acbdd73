//! The journals of a run as they are, for reports: nothing is changed, and nobody's authority is needed.

use proto::{RunId, StepEvent, StepHistory, StepId, StepProgress};

use super::history::ended;
use super::{Executor, History, StepRecord, all_steps, events_file};
use crate::durable::StateError;
use crate::journal::{self, Peeked};
use crate::refusal::Refusal;

/// Of the lines of output and of the progress of one step so many are told, the last ones. An installer prints
/// thousands of lines and a download makes as many steps forward; the files on the node have all of them.
const LAST: usize = 20;

impl Executor {
    /// The journals of all steps of a run that this agent was ever given, by step id.
    ///
    /// # Errors
    /// [`Refusal`]: a journal that cannot be read is not left out.
    pub async fn histories(&self, run: RunId) -> Result<Vec<StepHistory>, Refusal> {
        self.at_desk(move |this| Ok(this.read_histories(&run)?)).await
    }

    fn read_histories(&self, run: &RunId) -> Result<Vec<StepHistory>, StateError> {
        let state = &self.shared.door.state;
        let mut histories = Vec::new();
        for step in all_steps(state)? {
            let record = StepRecord::read(state, &step)?.filter(|record| record.run == *run);
            if let Some(record) = record {
                let (events, cut_bytes) = self.events_of(&step)?;
                let ended = ended(&events);
                let (kind, accepted_at) = (record.spec.kind(), record.accepted_at);
                let events = shortened(events);
                histories.push(StepHistory { step, kind, accepted_at, ended, cut_bytes, events });
            }
        }
        Ok(histories)
    }

    /// The lock is not held while files are read; a step that began meanwhile is read from its own history.
    fn events_of(&self, step: &StepId) -> Result<(Vec<StepEvent>, Option<u64>), StateError> {
        let running = || self.desk().running.get(step).map(|running| running.history.clone());
        let told = |history: &History| (history.events(1, usize::MAX), history.cut());
        if let Some(history) = running() {
            return Ok(told(&history));
        }
        let Peeked { records, cut, tail } = journal::peek(&events_file(&self.shared.door.state, step))?;
        match running() {
            Some(history) if tail > 0 => Ok(told(&history)),
            _ => {
                let damaged = cut.unwrap_or(0) + tail;
                Ok((records, (damaged > 0).then_some(damaged)))
            }
        }
    }
}

fn shortened(events: Vec<StepEvent>) -> Vec<StepEvent> {
    let is_output = |event: &StepEvent| matches!(event.what, StepProgress::Output(_));
    let is_progress = |event: &StepEvent| matches!(event.what, StepProgress::Moved { .. });
    without_first(without_first(events, is_output), is_progress)
}

/// Leaves out those of a kind that are not among the last.
fn without_first(events: Vec<StepEvent>, of_kind: impl Fn(&StepEvent) -> bool) -> Vec<StepEvent> {
    let mut left_out = events.iter().filter(|event| of_kind(event)).count().saturating_sub(LAST);
    let mut keep = |event: &StepEvent| {
        let drop = left_out > 0 && of_kind(event);
        left_out -= usize::from(drop);
        !drop
    };
    events.into_iter().filter(|event| keep(event)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_and_all_other_events_are_told_in_order() {
        let event = |seq: u64| StepEvent {
            step: "s".parse().unwrap(),
            seq,
            at: jiff::Timestamp::UNIX_EPOCH,
            what: match seq % 3 {
                0 => StepProgress::Output(seq.to_string()),
                1 => StepProgress::Moved { doing: "x".to_owned(), done: seq, total: None },
                _ => StepProgress::Started { resumed: true },
            },
        };
        let short = shortened((1..=300).map(event).collect());
        let of =
            |rest: u64| short.iter().map(|event| event.seq).filter(|seq| seq % 3 == rest).collect::<Vec<_>>();
        assert_eq!((of(0).len(), of(0)[0], of(1).len(), of(2).len()), (LAST, 300 - 57, LAST, 100));
        assert!(short.is_sorted_by_key(|event| event.seq));
        assert_eq!(shortened(vec![event(3), event(1)]).len(), 2);
    }
}
