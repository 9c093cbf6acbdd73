//! A step on a simulated node: its order and its history, which anybody may join.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::executor::{Stage, StepRecord};
use futures::Stream;
use jiff::Timestamp;
use proto::{StepEvent, StepHistory, StepOutcome, StepProgress};
use tokio::sync::watch;

/// A step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) record: StepRecord,
    events: Mutex<Vec<StepEvent>>,
    /// How many events there are.
    count: watch::Sender<usize>,
    cancelled: watch::Sender<bool>,
}

impl Step {
    pub(crate) fn new(record: StepRecord) -> Arc<Self> {
        let (count, cancelled) = (watch::Sender::new(0), watch::Sender::new(false));
        Arc::new(Self { record, events: Mutex::default(), count, cancelled })
    }

    pub(crate) fn tell(&self, what: StepProgress, at: Timestamp) {
        let mut events = self.events();
        let seq = events.len() as u64 + 1;
        events.push(StepEvent { step: self.record.step.clone(), seq, at, what });
        self.count.send_replace(events.len());
    }

    pub(crate) fn end(&self, outcome: StepOutcome, at: Timestamp) {
        self.tell(StepProgress::Finished(Box::new(outcome)), at);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.events().last().is_some_and(is_end)
    }

    pub(crate) fn stage(&self) -> Stage {
        if self.has_ended() { Stage::Ended } else { Stage::Running }
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Resolves when somebody asks for it to stop.
    pub(crate) async fn cancelled(&self) {
        let mut stop = self.cancelled.subscribe();
        // The sender lives as long as the step.
        drop(stop.wait_for(|cancelled| *cancelled).await);
    }

    pub(crate) fn history(&self) -> StepHistory {
        let (events, record) = (self.events().clone(), &self.record);
        StepHistory {
            step: record.step.clone(),
            kind: record.spec.kind(),
            accepted_at: record.accepted_at,
            ended: events.last().is_some_and(is_end),
            cut_bytes: None,
            events,
        }
    }

    /// Its events from a number on, to its end.
    pub(crate) fn follow(self: Arc<Self>, from: u64) -> impl Stream<Item = StepEvent> + Send + 'static {
        let news = self.count.subscribe();
        futures::stream::unfold((self, news, from.max(1), false), |(step, mut news, next, over)| async move {
            if over {
                return None;
            }
            let index = usize::try_from(next - 1).ok()?;
            news.wait_for(|count| *count > index).await.ok()?;
            let event = step.events().get(index)?.clone();
            let over = is_end(&event);
            Some((event, (step, news, next + 1, over)))
        })
    }

    fn events(&self) -> MutexGuard<'_, Vec<StepEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_end(event: &StepEvent) -> bool {
    matches!(event.what, StepProgress::Finished(_))
}
