//! Steps by id: each is carried out once, joined by whoever asks for it again, and goes on after the agent was away.

mod history;
mod record;
mod report;
mod running;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use proto::{Authority, Claim, StepId, StepInFlight, StepProgress, StepSpec};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use history::History;
pub use record::{StepRecord, all_steps, events_file};
pub use report::Reporter;

use crate::claims::{ClaimRecord, Claims};
use crate::durable::StateError;
use crate::refusal::Refusal;
use crate::runner;
use crate::steps::{self, Door, StepContext};
use running::{Running, RunningSteps};

/// Carries out steps on one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Executor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    door: Door,
    /// One lock for claims and running steps: a claim cannot change while a step is being admitted.
    desk: Mutex<Desk>,
    stop: CancellationToken,
    runtime: Handle,
}

#[derive(Debug)]
struct Desk {
    claims: Claims,
    running: RunningSteps,
}

impl Executor {
    /// Opens the node's records and goes on with an install that was under way. Must be called inside a runtime.
    ///
    /// # Errors
    /// [`StateError`]: a damaged claim, or a state directory that cannot be used.
    pub fn open(door: Door) -> Result<Self, StateError> {
        let claims = Claims::open(door.state.claim())?;
        let desk = Mutex::new(Desk { claims, running: RunningSteps::default() });
        let shared = Shared { door, desk, stop: CancellationToken::new(), runtime: Handle::current() };
        let executor = Self { shared: Arc::new(shared) };
        executor.reattach()?;
        Ok(executor)
    }

    /// An installer that was started goes on without being asked: somebody must see how it ends.
    fn reattach(&self) -> Result<(), StateError> {
        let state = &self.shared.door.state;
        for step in all_steps(state)? {
            // Only installs have a start. An unreadable order of one that was started must be looked at by a person.
            if !runner::was_started(&state.step(&step)) {
                continue;
            }
            let Some(record) = StepRecord::read(state, &step)? else { continue };
            let history = History::open(step.clone(), &events_file(state, &step))?;
            if !history.has_ended() {
                tracing::info!(%step, "going on with an installation that was under way");
                self.start(&mut self.desk(), record, Arc::new(history))?;
            }
        }
        Ok(())
    }

    /// Takes this node for a run.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn claim(&self, claim: Claim) -> Result<Claim, Refusal> {
        self.at_desk(|this| this.desk().claims.claim(claim)).await
    }

    /// Gives this node back; refused while an installation is under way.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn release(&self, authority: Authority) -> Result<(), Refusal> {
        let release = move |this: &Self| {
            let mut desk = this.desk();
            desk.claims.check(&authority).or_else(|refusal| match refusal {
                Refusal::NotClaimed { .. } => Ok(()),
                other => Err(other),
            })?;
            if let Some(step) = desk.running.install() {
                return Err(Refusal::InstallInFlight { step });
            }
            desk.claims.release(&authority)
        };
        self.at_desk(release).await
    }

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

    /// Asks a step to stop; its history tells when it has.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn cancel(&self, authority: Authority, step: StepId) -> Result<(), Refusal> {
        let cancel = move |this: &Self| {
            let desk = this.desk();
            desk.claims.check(&authority)?;
            let running = desk.running.get(&step).ok_or(Refusal::NotRunning { step: step.clone() })?;
            let kind = running.record.spec.kind();
            if !kind.can_be_cancelled() {
                return Err(Refusal::NotCancellable { step, kind });
            }
            running.cancel.cancel();
            Ok(())
        };
        self.at_desk(cancel).await
    }

    /// Who may act on this node.
    pub fn claim_record(&self) -> ClaimRecord {
        self.desk().claims.record().clone()
    }

    /// The step at work, the exclusive one first.
    pub fn current_step(&self) -> Option<StepInFlight> {
        self.desk().running.current()
    }

    /// What steps work with.
    pub fn door(&self) -> &Door {
        &self.shared.door
    }

    /// Resolves when the agent is stopping, so that streams end; installs are left running.
    pub fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    fn admit(
        &self,
        authority: &Authority,
        step: StepId,
        spec: StepSpec,
        only_join: bool,
    ) -> Result<Arc<History>, Refusal> {
        let mut desk = self.desk();
        desk.claims.check(authority)?;
        if let Some(running) = desk.running.get(&step) {
            refuse_other_order(&running.record, authority, &spec)?;
            return Ok(Arc::clone(&running.history));
        }
        let state = &self.shared.door.state;
        let known = StepRecord::read(state, &step)?;
        if let Some(record) = &known {
            refuse_other_order(record, authority, &spec)?;
            let history = History::open(step.clone(), &events_file(state, &step))?;
            if history.has_ended() {
                return Ok(Arc::new(history));
            }
        }
        if only_join {
            return Err(match known {
                Some(_) => Refusal::NotRunning { step },
                None => Refusal::NeverOrdered { step },
            });
        }
        if self.shared.stop.is_cancelled() {
            return Err(Refusal::Stopping);
        }
        desk.running.refuse_if_busy(spec.kind())?;
        let record = known.map_or_else(|| self.order(authority, step, spec), Ok)?;
        let history = Arc::new(History::open(record.step.clone(), &events_file(state, &record.step))?);
        self.start(&mut desk, record, Arc::clone(&history))?;
        Ok(history)
    }

    /// Writes down a new order.
    fn order(&self, authority: &Authority, step: StepId, spec: StepSpec) -> Result<StepRecord, StateError> {
        let record = StepRecord { step, run: authority.run.clone(), spec, accepted_at: Timestamp::now() };
        record.write(&self.shared.door.state)?;
        Ok(record)
    }

    /// Writes that the step begins, then begins it.
    fn start(&self, desk: &mut Desk, record: StepRecord, history: Arc<History>) -> Result<(), StateError> {
        let resumed = history.began().is_some();
        history.tell(vec![StepProgress::Started { resumed }])?;
        let cancel = CancellationToken::new();
        let context = StepContext {
            door: self.shared.door.clone(),
            record: record.clone(),
            report: Reporter::new(Arc::clone(&history)),
            cancel: cancel.clone(),
        };
        let step = record.step.clone();
        desk.running.insert(Running { record, history, cancel, since: Timestamp::now() });
        let (this, stop) = (self.clone(), self.shared.stop.clone());
        self.shared.runtime.spawn(async move {
            // A step that is cut off here is unfinished, and goes on when it is asked for again.
            stop.run_until_cancelled(this.carry_out(step, context)).await;
        });
        Ok(())
    }

    async fn carry_out(&self, step: StepId, context: StepContext) {
        let history = Arc::clone(context.report.history());
        let outcome = steps::run(context).await;
        let finished = StepProgress::Finished(Box::new(outcome));
        let mut pause = std::time::Duration::from_millis(100);
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
            pause = (pause * 2).min(std::time::Duration::from_secs(10));
        }
    }

    /// Under the lock, so that whoever sees the end can at once begin the next exclusive step.
    fn end(&self, step: &StepId, history: &History, finished: StepProgress) -> Result<(), StateError> {
        let mut desk = self.desk();
        history.tell(vec![finished])?;
        desk.running.remove(step);
        Ok(())
    }

    /// Claims and admissions wait for the disk, so they leave the runtime's threads alone.
    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let this = self.clone();
        match tokio::task::spawn_blocking(move || work(&this)).await {
            Ok(answer) => answer,
            Err(_) => Err(Refusal::Stopping),
        }
    }

    /// What is behind the lock is on the disk as well and is changed last, so a poisoned lock is harmless.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.shared.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse_other_order(record: &StepRecord, authority: &Authority, spec: &StepSpec) -> Result<(), Refusal> {
    let same = record.run == authority.run && record.spec == *spec;
    if same { Ok(()) } else { Err(Refusal::DifferentSpec { step: record.step.clone() }) }
}
