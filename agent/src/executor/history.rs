//! The events of one step: on the disk before anybody is told, numbered from 1 without a gap, joined from anywhere.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use proto::{Clock, StepEvent, StepId, StepProgress};
use tokio::sync::watch;

use crate::durable::{Disk, StateError};
use crate::journal::Journal;

/// The history of one step.
#[derive(Debug)]
pub struct History {
    step: StepId,
    clock: Clock,
    cut: Option<u64>,
    written: Mutex<Written>,
    /// How many events there are; wakes those who wait for more.
    count: watch::Sender<usize>,
}

#[derive(Debug)]
struct Written {
    journal: Journal<StepEvent>,
    events: Vec<StepEvent>,
}

impl History {
    /// Opens or creates the history of a step.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(step: StepId, path: &Path, disk: &Disk, clock: Clock) -> Result<Self, StateError> {
        let opened = Journal::<StepEvent>::open(path, disk)?;
        let count = watch::Sender::new(opened.records.len());
        let written = Mutex::new(Written { journal: opened.journal, events: opened.records });
        Ok(Self { step, clock, cut: opened.cut, written, count })
    }

    /// Appends events and wakes those who wait. Nothing follows the end of a step: what comes later is dropped.
    ///
    /// # Errors
    /// [`StateError::Io`]; then none of them was appended. Waits for the disk.
    pub fn tell(&self, progress: Vec<StepProgress>) -> Result<(), StateError> {
        let mut written = self.written();
        if ended(&written.events) || progress.is_empty() {
            return Ok(());
        }
        let first = written.events.len() as u64 + 1;
        let at = self.clock.now();
        let numbered = (first..).zip(progress);
        let events: Vec<StepEvent> =
            numbered.map(|(seq, what)| StepEvent { step: self.step.clone(), seq, at, what }).collect();
        written.journal.append(&events)?;
        written.events.extend(events);
        self.count.send_replace(written.events.len());
        Ok(())
    }

    /// At most `most` events from a sequence number on; 0 is taken for 1.
    pub fn events(&self, from_seq: u64, most: usize) -> Vec<StepEvent> {
        events(&self.written().events, from_seq, most)
    }

    /// The same, and whether the step has ended: seen at one moment, so that no end that is told in between is missed.
    pub fn batch(&self, from_seq: u64, most: usize) -> (Vec<StepEvent>, bool) {
        let written = self.written();
        (events(&written.events, from_seq, most), ended(&written.events))
    }

    /// The clock that its events are told by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Bytes of damaged records that were cut off before it was opened, and then.
    pub fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// Whether the step has ended.
    pub fn has_ended(&self) -> bool {
        ended(&self.written().events)
    }

    /// When the step was first begun.
    pub fn began(&self) -> Option<Timestamp> {
        self.written().events.first().map(|event| event.at)
    }

    /// How many events satisfy a condition.
    pub fn count(&self, wanted: impl Fn(&StepProgress) -> bool) -> usize {
        self.written().events.iter().filter(|event| wanted(&event.what)).count()
    }

    /// Waits on this to learn of new events.
    pub fn subscribe(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// The events are changed in one place that cannot leave them half changed, so a poisoned lock is harmless.
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn events(all: &[StepEvent], from_seq: u64, most: usize) -> Vec<StepEvent> {
    let skipped = usize::try_from(from_seq.saturating_sub(1)).unwrap_or(usize::MAX);
    all.iter().skip(skipped).take(most).cloned().collect()
}

/// Whether a step with these events has ended.
pub(super) fn ended(events: &[StepEvent]) -> bool {
    events.last().is_some_and(|last| matches!(last.what, StepProgress::Finished(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::StepOutcome;

    fn line(text: &str) -> StepProgress {
        StepProgress::Output(text.to_owned())
    }

    #[test]
    fn numbers_go_on_without_a_gap_after_reopening_and_nothing_follows_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        let step: StepId = "s".parse().unwrap();
        let open = || History::open(step.clone(), &path, &Disk::real(), Clock::system()).unwrap();
        open().tell(vec![line("a"), line("b")]).unwrap();
        let history = open();
        history.tell(vec![line("c"), StepProgress::Finished(Box::new(StepOutcome::Cancelled))]).unwrap();
        history.tell(vec![line("late")]).unwrap();
        let history = open();
        let seen: Vec<u64> = history.events(0, 100).iter().map(|event| event.seq).collect();
        assert_eq!(seen, [1, 2, 3, 4]);
        assert!(history.has_ended());
        assert_eq!(history.events(3, 1)[0].what, line("c"));
        assert_eq!(history.events(5, 9), []);
        assert_eq!(history.events(u64::MAX, 9), []);
        assert_eq!(history.batch(5, 9), (Vec::new(), true));
    }
}
