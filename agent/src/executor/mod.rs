//! Steps by id: each is carried out once, joined by whoever asks for it again, and goes on after the agent was away.

mod admission;
mod histories;
mod history;
mod orders;
mod record;
mod report;
mod running;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proto::wire::{HaltsNow, SetHalt, TakeOver, TakenOver};
use proto::{AgentMemory, Authority, Claim, SignedCatalogue, StepId, StepInFlight};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use admission::{Admission, Asked, Stage, admission};
pub use history::History;
pub use record::{StepRecord, all_steps, events_file};
pub use report::Reporter;

use crate::claims::{ClaimRecord, Claims};
use crate::durable::StateError;
use crate::halts::Halts;
use crate::memory;
use crate::metrics::Metrics;
use crate::package::Owner;
use crate::refusal::Refusal;
use crate::runner;
use crate::steps::Door;
use running::RunningSteps;

/// Carries out steps on one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Executor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    door: Door,
    memory: AgentMemory,
    metrics: Metrics,
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

impl Desk {
    fn refuse_during_install(&self) -> Result<(), Refusal> {
        self.running.install().map_or(Ok(()), |step| Err(Refusal::InstallInFlight { step }))
    }
}

impl Executor {
    /// Opens the node's records and goes on with an install that was under way. Must be called inside a runtime.
    ///
    /// # Errors
    /// [`StateError`]: a damaged claim, or a state directory that cannot be used.
    pub fn open(door: Door) -> Result<Self, StateError> {
        let memory = memory::open(&door.state.memory(), &door.disk)?;
        let claims = Claims::open(door.state.claim(), door.disk.clone())?;
        let desk = Mutex::new(Desk { claims, running: RunningSteps::default() });
        let (stop, runtime) = (CancellationToken::new(), Handle::current());
        let executor = Self {
            shared: Arc::new(Shared { door, memory, metrics: Metrics::default(), desk, stop, runtime }),
        };
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
            let history = self.history(&step)?;
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
        let claim = move |this: &Self| {
            let mut desk = this.desk();
            let record = desk.claims.record().claim(claim.clone())?;
            desk.claims.store(record)?;
            Ok(desk.claims.record().claim.clone().unwrap_or(claim))
        };
        self.at_desk(claim).await
    }

    /// Puts the claim into other hands, or frees this node, on a person's word; refused while an installation is under
    /// way, unless the person says so in as many words.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn take_over(&self, asked: TakeOver) -> Result<TakenOver, Refusal> {
        let take_over = move |this: &Self| {
            let mut desk = this.desk();
            let before = desk.claims.record().clone();
            let record = before.take_over(&asked, this.shared.door.clock.now())?;
            if !asked.despite_install {
                desk.refuse_during_install()?;
            }
            desk.claims.store(record)?;
            tracing::warn!(holder = %asked.holder, epoch = %asked.epoch, ?before, "the claim was taken over");
            Ok(TakenOver { before: before.claim, memory: this.shared.memory.clone() })
        };
        self.at_desk(take_over).await
    }

    /// Gives this node back; refused while an installation is under way.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn release(&self, authority: Authority) -> Result<(), Refusal> {
        let release = move |this: &Self| {
            let mut desk = this.desk();
            let record = desk.claims.record().release(&authority)?;
            desk.refuse_during_install()?;
            Ok(desk.claims.store(record)?)
        };
        self.at_desk(release).await
    }

    /// Lets no installer begin on this node, or lifts that: for good, until the same source asks for something else. An
    /// installer at work is not touched.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn set_halt(&self, asked: SetHalt) -> Result<HaltsNow, Refusal> {
        let set = move |this: &Self| {
            // No install is admitted meanwhile.
            let _desk = this.desk();
            let now = this.halts().set(&asked)?;
            tracing::warn!(source = %asked.source, number = asked.number, halt = ?asked.halt, "a halt was set or lifted");
            Ok(now)
        };
        self.at_desk(set).await
    }

    /// Keeps the fleet owner's catalogue, if it is; the serial that is kept, or `None` where no key is pinned.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn set_catalogue(&self, signed: SignedCatalogue) -> Result<Option<u64>, Refusal> {
        let set = move |this: &Self| {
            // One at a time: which serial is the highest must not change meanwhile.
            let _desk = this.desk();
            let door = &this.shared.door;
            this.owner().keep(&door.disk, &signed, door.clock.now()).map_err(Refusal::Catalogue)
        };
        self.at_desk(set).await
    }

    fn owner(&self) -> Owner<'_> {
        Owner::of(&self.shared.door.config, &self.shared.door.state)
    }

    /// Whether an installer may begin on this node.
    pub fn halts(&self) -> Halts {
        let door = &self.shared.door;
        Halts::at(door.state.halts(), door.disk.clone())
    }

    /// Asks a step to stop; its history tells when it has.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn cancel(&self, authority: Authority, step: StepId) -> Result<(), Refusal> {
        let cancel = move |this: &Self| {
            let desk = this.desk();
            desk.claims.record().check(&authority)?;
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

    /// Which memory this agent has.
    pub fn memory(&self) -> &AgentMemory {
        &self.shared.memory
    }

    /// The step at work, the exclusive one first.
    pub fn current_step(&self) -> Option<StepInFlight> {
        self.desk().running.current()
    }

    /// What this agent counts.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Sets the metrics that nothing sets as it happens.
    pub fn measure(&self) {
        let desk = self.desk();
        let record = desk.claims.record();
        self.metrics().held(record.claim.is_some(), record.highest_epoch, &desk.running.by_kind());
        self.metrics().halted(!self.halts().in_force(self.door().clock.now()).is_empty());
    }

    /// What steps work with.
    pub fn door(&self) -> &Door {
        &self.shared.door
    }

    /// Resolves when the agent is stopping, so that streams end; installs are left running.
    pub fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
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
