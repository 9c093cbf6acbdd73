//! Orders at the desk: admitted or refused, written down, begun, and ended.

use std::sync::Arc;
use std::time::Duration;

use proto::{Authority, Epoch, Failure, StepId, StepKind, StepOutcome, StepProgress, StepSpec};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::running::Running;
use super::{Admission, Asked, Desk, Executor, History, Reporter, Stage, StepRecord, admission, events_file};
use crate::durable::StateError;
use crate::refusal::Refusal;
use crate::runner;
use crate::steps::{self, StepContext};

/// The first pause before the end of a step is written again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Pauses double up to here.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A step that was ordered before.
struct Known {
    record: StepRecord,
    history: Arc<History>,
    stage: Stage,
}

impl Executor {
    /// Carries out a step, or joins it: what is returned tells all its events, to the end. With `only_join` nothing is
    /// begun.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing was begun.
    pub async fn execute(
        &self,
        authority: Authority,
        step: StepId,
        spec: StepSpec,
        only_join: bool,
    ) -> Result<Arc<History>, Refusal> {
        self.at_desk(move |this| this.admit(&authority, step, spec, only_join)).await
    }

    fn admit(
        &self,
        authority: &Authority,
        step: StepId,
        spec: StepSpec,
        only_join: bool,
    ) -> Result<Arc<History>, Refusal> {
        let mut desk = self.desk();
        desk.claims.record().check(authority)?;
        let known = self.known(&desk, &step)?;
        let asked = Asked { step: &step, run: &authority.run, spec: &spec, only_join };
        let busy = desk.running.refuse_if_busy(spec.kind()).and_then(|()| self.refuse_if_halted(spec.kind()));
        let stopping = self.shared.stop.is_cancelled();
        let admitted =
            admission(asked, known.as_ref().map(|known| (&known.record, known.stage)), stopping, busy);
        let admitted = match admitted {
            Ok(admitted) => admitted,
            // A copy of this order that comes later, when nothing keeps it off any more, must start nothing either.
            Err(refusal @ (Refusal::Busy { .. } | Refusal::Halted(_) | Refusal::Stopping))
                if spec.kind() == StepKind::Install =>
            {
                let record = known.map(|known| known.record);
                let record = record.map_or_else(|| self.order(authority, step, spec, None), Ok)?;
                return self.close(&mut desk, record).or(Err(refusal));
            }
            Err(refusal) => return Err(refusal),
        };
        match (admitted, known) {
            (Admission::Join, Some(known)) => Ok(known.history),
            (Admission::GoOn, Some(known)) => {
                self.start(&mut desk, known.record, Arc::clone(&known.history))?;
                Ok(known.history)
            }
            (Admission::Close, known) => {
                let record = known.map(|known| known.record);
                let record = record.map_or_else(|| self.order(authority, step, spec, None), Ok)?;
                self.close(&mut desk, record)
            }
            (_, known) => {
                let record = self.order(authority, step, spec, known.map(|known| known.record))?;
                let history = Arc::new(self.history(&record.step)?);
                self.start(&mut desk, record, Arc::clone(&history))?;
                Ok(history)
            }
        }
    }

    fn refuse_if_halted(&self, kind: StepKind) -> Result<(), Refusal> {
        if kind != StepKind::Install {
            return Ok(());
        }
        self.halts().refuse_install(self.shared.door.clock.now())
    }

    /// Writes an order down.
    fn order(
        &self,
        authority: &Authority,
        step: StepId,
        spec: StepSpec,
        earlier: Option<StepRecord>,
    ) -> Result<StepRecord, StateError> {
        let door = &self.shared.door;
        let accepted_at = earlier.map_or_else(|| door.clock.now(), |earlier| earlier.accepted_at);
        let record = StepRecord { step, run: authority.run.clone(), spec, accepted_at };
        record.write(&door.state, &door.disk)?;
        Ok(record)
    }

    /// Uses up the start of an install that was never started, then ends it and says so. If an op runner was faster, it
    /// is joined.
    fn close(&self, desk: &mut Desk, record: StepRecord) -> Result<Arc<History>, Refusal> {
        let door = &self.shared.door;
        let history = Arc::new(self.history(&record.step)?);
        if !runner::void(&door.disk, &door.state.step(&record.step))? {
            self.start(desk, record, Arc::clone(&history))?;
            return Ok(history);
        }
        history.tell(vec![StepProgress::Finished(Box::new(StepOutcome::Failed(never_started())))])?;
        Err(Refusal::NeverOrdered { step: record.step })
    }

    fn known(&self, desk: &Desk, step: &StepId) -> Result<Option<Known>, StateError> {
        if let Some(running) = desk.running.get(step) {
            let (record, history) = (running.record.clone(), Arc::clone(&running.history));
            return Ok(Some(Known { record, history, stage: Stage::Running }));
        }
        let state = &self.shared.door.state;
        let Some(record) = StepRecord::read(state, step)? else { return Ok(None) };
        let history = Arc::new(self.history(step)?);
        let stage = match history.has_ended() {
            true => Stage::Ended,
            false => Stage::CutOff { start_used: runner::was_started(&state.step(step)) },
        };
        Ok(Some(Known { record, history, stage }))
    }

    /// The history of a step that is not at work.
    pub(super) fn history(&self, step: &StepId) -> Result<History, StateError> {
        let door = &self.shared.door;
        History::open(step.clone(), &events_file(&door.state, step), &door.disk, door.clock.clone())
    }

    /// Writes that the step begins, then begins it.
    pub(super) fn start(
        &self,
        desk: &mut Desk,
        record: StepRecord,
        history: Arc<History>,
    ) -> Result<(), StateError> {
        let resumed = history.began().is_some();
        history.tell(vec![StepProgress::Started { resumed }])?;
        let cancel = CancellationToken::new();
        let context = StepContext {
            door: self.shared.door.clone(),
            record: record.clone(),
            report: Reporter::new(Arc::clone(&history)),
            cancel: cancel.clone(),
        };
        let (step, since) = (record.step.clone(), self.shared.door.clock.now());
        desk.running.insert(Running { record, history, cancel, since });
        let span = span_of(&context.record, desk.claims.record().highest_epoch);
        let (this, stop) = (self.clone(), self.shared.stop.clone());
        let carried_out = async move {
            // A step that is cut off here is unfinished, and goes on when it is asked for again.
            stop.run_until_cancelled(this.carry_out(step, context)).await;
        };
        self.shared.runtime.spawn(carried_out.instrument(span));
        Ok(())
    }

    async fn carry_out(&self, step: StepId, context: StepContext) {
        let history = Arc::clone(context.report.history());
        let (kind, began) = (context.record.spec.kind(), Instant::now());
        tracing::info!("the step is at work");
        let outcome = steps::run(context).await;
        tracing::info!(outcome = crate::metrics::outcome_word(&outcome), "the step has ended");
        self.metrics().step(kind, &outcome, began.elapsed().as_secs_f64());
        let finished = StepProgress::Finished(Box::new(outcome));
        let mut pause = FIRST_PAUSE;
        loop {
            let (this, step, history, finished) =
                (self.clone(), step.clone(), Arc::clone(&history), finished.clone());
            let ended = tokio::task::spawn_blocking(move || this.end(&step, &history, finished)).await;
            match ended {
                Ok(Ok(())) => return,
                Ok(Err(error)) => {
                    tracing::error!(error = %error.full(), "the end of a step cannot be written")
                }
                Err(error) => tracing::error!(%error, "the end of a step cannot be written"),
            }
            // Until the disk takes it, the step counts as running and nothing else can begin.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Under the lock, so that whoever sees the end can at once begin the next exclusive step.
    fn end(&self, step: &StepId, history: &History, finished: StepProgress) -> Result<(), StateError> {
        let mut desk = self.desk();
        history.tell(vec![finished])?;
        desk.running.remove(step);
        Ok(())
    }
}

/// What every line that is logged on behalf of a step carries, at whatever level spans are told. The node is the one that
/// the step's id names.
fn span_of(record: &StepRecord, epoch: Epoch) -> Span {
    let (run, step, kind) = (&record.run, &record.step, record.spec.kind());
    let parts = step.as_str().strip_prefix(run.as_str()).unwrap_or_default();
    let node = parts.split('.').find_map(|part| part.strip_prefix('n')).unwrap_or("unknown");
    tracing::error_span!("step", %run, %step, %kind, node, %epoch)
}

fn never_started() -> Failure {
    let message =
        "the installation was never started, and cannot be under this id any more; nothing was changed";
    Failure::retry("not-started", message).because("it was asked for before it had begun")
}
