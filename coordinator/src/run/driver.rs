//! The driver: performs what is due and writes down what came of it. It decides nothing.

use std::sync::Arc;
use std::time::Duration;

use proto::wire::TakeClaim;
use proto::{Clock, Failure, NodeUid, RunId, Setting};
use tokio_util::sync::CancellationToken;

use super::decide::settings::by_hand;
use super::journal::Journal;
use super::retrying::Patience;
use super::{Action, Admission, Event, Halt, JournalObserver, Run, RunEnd, SideEffect, StepOrder, Wait};
use crate::advisories::Advisories;
use crate::agents::Agents;
use crate::hooks::Hooks;
use crate::paths::Table;
use crate::plan::post_advice;
use crate::store::{Lease, Store};
use crate::tables::SignedFile;

/// Between two looks at what others asked of the run.
const REQUESTS: Duration = Duration::from_millis(300);

/// What a driver needs of the world.
#[derive(Clone, Debug)]
pub struct World {
    /// Where the journal is kept.
    pub store: Arc<dyn Store>,
    /// The door to the agents.
    pub agents: Arc<Agents>,
    /// The vendor's table.
    pub table: Arc<Table>,
    /// The vendor's hazards, and the operator's own.
    pub advisories: Arc<Advisories>,
    /// The operator's own programs on the coordinator.
    pub hooks: Hooks,
    /// The fleet owner's signed catalogue.
    pub signed: SignedFile,
    /// Who else has a say in when turns begin.
    pub admission: Arc<dyn Admission>,
    /// The wall clock.
    pub clock: Clock,
    /// Between two looks of the watch over a cluster while a step runs.
    pub watch_every: Duration,
}

/// Drives a run.
#[derive(Debug)]
pub struct Driving {
    pub(super) world: World,
    pub(super) journal: Journal,
}

impl Driving {
    /// Takes a run over: writes down who drives it now, and what was asked of it. Nothing else happens yet.
    ///
    /// # Errors
    /// The store failed, somebody else drives now, or what was asked cannot be.
    pub async fn begin(world: World, lease: Lease, run: RunId, first: Vec<Event>) -> Result<Self, Failure> {
        let journal = Journal::open(world.store.clone(), world.clock.clone(), lease, run).await?;
        for event in first {
            journal.append(event).await?;
        }
        Ok(Self { world, journal })
    }

    /// Tells somebody of every event from now on.
    pub fn observed_by(self, observer: Arc<dyn JournalObserver>) -> Self {
        Self { journal: self.journal.observed_by(observer), ..self }
    }

    /// Drives the run until it stands still or is over, and says how it stands then.
    ///
    /// # Errors
    /// The store failed, or somebody else drives now. The run itself is as its journal says.
    pub async fn drive(self) -> Result<Run, Failure> {
        loop {
            while self.step().await? {}
            self.on_halt().await?;
            // Somebody may have told it to go on while its hooks ran.
            self.journal.take_requests().await?;
            if self.journal.due().await == Action::Stand {
                return Ok(self.journal.state().await);
            }
        }
    }

    /// Performs what is due; `false` when nothing is.
    async fn step(&self) -> Result<bool, Failure> {
        self.journal.take_requests().await?;
        match self.journal.due().await {
            Action::Claim(node) => self.claim(node).await?,
            Action::Prepare(orders) => self.prepare(orders).await?,
            Action::Execute(order) => self.execute(order, false).await?,
            Action::Rejoin(order) => self.execute(order, true).await?,
            Action::Gate { hop } => self.gate(hop).await?,
            Action::Witness { hop, node } => self.witness(hop, node).await?,
            Action::Record(setting) => self.record(setting).await?,
            Action::Restored(setting) => self.journal.append(Event::SettingRestored { setting }).await?,
            Action::Halt(halt) => self.halt(halt).await?,
            Action::Pause => self.journal.append(Event::Paused).await?,
            Action::Release(node) => self.release(node).await?,
            Action::End(end) => self.end(end).await?,
            Action::Stand => return Ok(false),
        }
        Ok(true)
    }

    async fn claim(&self, node: NodeUid) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let address = agent_of(&run, node)?;
        let request = TakeClaim {
            run: run.id.clone(),
            cluster: run.plan.cluster.clone(),
            epoch: self.journal.epoch(),
            holder: crate::identity::holder(),
            expected_node: Some(node),
        };
        let mut patience = Patience::new(&self.world.clock, Wait::Claim, run.deadlines.of(Wait::Claim));
        patience.about(node);
        let asked = self.persist(patience, || self.world.agents.claim(&address, &request));
        let event = match self.minding_requests(asked).await?? {
            Ok(answer) => Event::Claimed { node, memory: Some(answer.memory) },
            Err(failure) if is_superseded(&failure) => return Err(failure),
            Err(failure) => Event::ClaimRefused { node, failure },
        };
        self.journal.append(event).await
    }

    async fn release(&self, node: NodeUid) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let address = agent_of(&run, node)?;
        let authority = self.authority();
        let mut patience = Patience::new(&self.world.clock, Wait::Release, run.deadlines.of(Wait::Release));
        patience.about(node);
        let asked = self.persist(patience, || self.world.agents.release(&address, &authority)).await?;
        if let Some(failure) = asked.as_ref().err().filter(|failure| is_superseded(failure)) {
            return Err(failure.clone());
        }
        self.journal.append(Event::Released { node, trouble: asked.err() }).await
    }

    async fn end(&self, end: RunEnd) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let mut advice = self.after_run(&run, &end).await?;
        advice.extend(left_changed(&run));
        if end == RunEnd::Done && !run.prepare_only {
            let snapshot = self.look(&run).await?;
            advice.extend(post_advice(&snapshot, &run.plan, &self.world.table));
            self.journal.append(Event::Advised { advice }).await?;
        } else if !advice.is_empty() {
            self.journal.append(Event::Advised { advice }).await?;
        }
        self.journal.append(Event::Ended(end)).await
    }

    pub(super) async fn halt(&self, halt: Halt) -> Result<(), Failure> {
        self.journal.append(Event::Halted(Box::new(halt))).await
    }

    /// Lets something run while requests of others are taken.
    pub(super) async fn minding_requests<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        self.minding(work, &[]).await
    }

    /// Lets something run while requests of others are taken; when somebody wants a stop, these steps are cancelled.
    ///
    /// Both sides are driven to their ends side by side: neither waits for a lock that the other holds unpolled, and no
    /// append is dropped half-way.
    pub(super) async fn minding<T>(
        &self,
        work: impl Future<Output = T>,
        cancellable: &[StepOrder],
    ) -> Result<T, Failure> {
        self.minding_until(CancellationToken::new(), work, cancellable).await
    }

    /// The same, and tells others by a token when the work is over.
    pub(super) async fn minding_until<T>(
        &self,
        over: CancellationToken,
        work: impl Future<Output = T>,
        cancellable: &[StepOrder],
    ) -> Result<T, Failure> {
        let work = async {
            let done = work.await;
            over.cancel();
            done
        };
        let requests = async {
            let mut cancelled = cancellable.is_empty();
            while over.run_until_cancelled(tokio::time::sleep(REQUESTS)).await.is_some() {
                self.journal.take_requests().await?;
                if !cancelled && self.journal.stop_wanted().await {
                    cancelled = true;
                    self.cancel_all(cancellable).await;
                }
            }
            Ok::<(), Failure>(())
        };
        let (done, minded) = tokio::join!(work, requests);
        minded.map(|()| done)
    }
}

/// What a run leaves changed because somebody insisted on its end.
fn left_changed(run: &Run) -> Vec<String> {
    let told = |(setting, effect): (Setting, &SideEffect)| {
        let SideEffect { original, wanted, .. } = effect;
        format!("{setting} is still {wanted} and was {original}: {}", by_hand(setting, effect))
    };
    run.open_settings().map(told).collect()
}

/// What an agent answers to a driver whose time is over.
const STALE_EPOCH: &str = "stale-epoch";

/// Whether an agent obeys a later driver.
pub(super) fn is_superseded(failure: &Failure) -> bool {
    failure.id == STALE_EPOCH
}

/// The address of a node's agent.
pub(super) fn agent_of(run: &Run, node: NodeUid) -> Result<String, Failure> {
    let planned = run.plan.nodes.iter().find(|planned| planned.uid == node);
    planned
        .map(|planned| planned.agent.clone())
        .ok_or_else(|| Failure::bug(format!("{node} is not in the plan")))
}
