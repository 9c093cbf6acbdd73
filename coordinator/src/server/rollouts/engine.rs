//! The duty of whoever leads: looks at every rollout that is not over, asks what is due, and performs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proto::{ClusterName, Failure, RolloutName, RunId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::books::Book;
use super::holding::Told;
use super::seen::Fleet;
use super::starting::Begun;
use crate::failures::DEPOSED;
use crate::rollout::{Action, Event, Outcome, Phase, Rollout, Seen, decide};
use crate::run;
use crate::server::Core;
use crate::server::planning::run_id;
use crate::store::{Lead, RolloutAsked};

/// Between two looks if nothing wakes it.
const LOOK: Duration = Duration::from_secs(1);

/// How many clusters are planned at a time: each is asked for its `rlcheck`, which takes minutes.
const PLANS: usize = 16;

/// How often one look may lead to another one at once, because something was written down.
const ROUNDS: usize = 1_000;

/// Carries out rollouts until it is told to stop or another coordinator leads.
pub(in crate::server) async fn duty(core: Arc<Core>, lead: Arc<Lead>, over: CancellationToken) {
    let mut engine = Engine::new(Arc::clone(&core), lead);
    let work = async {
        loop {
            match engine.look().await {
                Ok(()) => {}
                Err(failure) if failure.id == DEPOSED => {
                    return tracing::info!(%failure, "rollouts are carried out elsewhere now");
                }
                Err(failure) => tracing::warn!(%failure, "rollouts cannot be looked at"),
            }
            tokio::select! {
                () = core.rollouts.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    };
    tokio::select! {
        () = over.cancelled() => {}
        () = work => over.cancelled().await,
    }
}

/// What is under way for one rollout, and nowhere written down.
#[derive(Debug, Default)]
pub(super) struct Doing {
    /// Runs that are being planned and created.
    pub(super) starting: BTreeMap<RunId, CancellationToken>,
    /// What runs are being asked.
    pub(super) asking: BTreeMap<RunId, run::Request>,
    /// What agents of clusters were told about holding, and when.
    pub(super) told: BTreeMap<ClusterName, (bool, Timestamp)>,
    /// Clusters whose agents are being told.
    pub(super) telling: BTreeSet<ClusterName>,
    /// Not before then is it tried again.
    pub(super) again: BTreeMap<RunId, Instant>,
    /// Since when a cluster cannot be planned for reasons that may pass.
    pub(super) unclear: BTreeMap<RunId, Instant>,
    /// What came of starts, until it is written down.
    settled: Vec<(ClusterName, RunId, Outcome)>,
}

/// What a task of the engine has done.
pub(super) enum Worked {
    /// It has tried to start a run.
    Begun { rollout: RolloutName, cluster: ClusterName, run: RunId, begun: Result<Begun, Failure> },
    /// It has asked a run for something.
    Asked { rollout: RolloutName, run: RunId, asked: Result<(), Failure> },
    /// It has told the agents of a cluster.
    Told(Told),
}

/// Carries out rollouts.
pub(super) struct Engine {
    pub(super) core: Arc<Core>,
    pub(super) lead: Arc<Lead>,
    pub(super) work: JoinSet<Worked>,
    pub(super) slots: Arc<Semaphore>,
    pub(super) doing: BTreeMap<RolloutName, Doing>,
    /// Interrupted runs that were taken up here.
    pub(super) taken_up: BTreeSet<RunId>,
}

impl Engine {
    pub(super) fn new(core: Arc<Core>, lead: Arc<Lead>) -> Self {
        let slots = Arc::new(Semaphore::new(PLANS));
        Self { core, lead, work: JoinSet::new(), slots, doing: BTreeMap::new(), taken_up: BTreeSet::new() }
    }

    /// One look at everything. A rollout that fails does not stop the others.
    pub(super) async fn look(&mut self) -> Result<(), Failure> {
        while let Some(worked) = self.work.try_join_next() {
            match worked {
                Ok(worked) => self.take(worked),
                Err(error) => {
                    tracing::error!(%error, "a task of a rollout stopped in the middle of its work")
                }
            }
        }
        let fleet = self.core.look_at_fleet().await?;
        let mut restless = BTreeSet::new();
        for name in self.core.store().rollouts().await? {
            match self.advance(&name, &fleet, &mut restless).await {
                Ok(()) => {}
                Err(failure) if failure.id == DEPOSED => return Err(failure),
                Err(failure) => tracing::warn!(rollout = %name, %failure, "the rollout does not get on"),
            }
        }
        self.core.rollouts.set_restless(restless);
        Ok(())
    }

    fn take(&mut self, worked: Worked) {
        match worked {
            Worked::Begun { rollout, cluster, run, begun } => self.begun(rollout, cluster, run, begun),
            Worked::Asked { rollout, run, asked } => {
                let doing = self.doing.entry(rollout).or_default();
                doing.asking.remove(&run);
                if let Err(failure) = asked {
                    tracing::warn!(%run, %failure, "the run was not asked");
                    doing.not_soon(run);
                }
            }
            Worked::Told(told) => told.note(self.doing.entry(told.rollout.clone()).or_default()),
        }
    }

    fn begun(
        &mut self,
        rollout: RolloutName,
        cluster: ClusterName,
        run: RunId,
        begun: Result<Begun, Failure>,
    ) {
        let doing = self.doing.entry(rollout).or_default();
        doing.starting.remove(&run);
        match begun {
            Ok(Begun::Created) => drop(doing.unclear.remove(&run)),
            Ok(Begun::Settled(outcome)) => doing.settled.push((cluster, run, outcome)),
            Ok(Begun::Unclear(failure)) => {
                let since = *doing.unclear.entry(run.clone()).or_insert_with(Instant::now);
                match Begun::given_up(since) {
                    true => doing.settled.push((cluster, run, Outcome::Failed(failure))),
                    false => doing.not_soon(run),
                }
            }
            Err(failure) => {
                tracing::info!(%run, %failure, "the run is not started yet");
                doing.not_soon(run);
            }
        }
    }

    /// Lets one rollout get on, and notes which clusters it waits to see.
    async fn advance(
        &mut self,
        name: &RolloutName,
        fleet: &Fleet,
        restless: &mut BTreeSet<ClusterName>,
    ) -> Result<(), Failure> {
        let core = Arc::clone(&self.core);
        let mut books = core.rollouts.books.lock().await;
        let Some(book) = books.read(core.store(), name).await? else { return Ok(()) };
        if book.rollout.is_over() {
            self.doing.remove(name);
            return Ok(());
        }
        self.take_requests(book).await?;
        self.settle(book).await?;
        self.doing.entry(name.clone()).or_default().leave_off(&book.rollout);
        let due = self.write(book, fleet).await?;
        restless.extend(soaking(&book.rollout));
        for action in due {
            self.perform(book, action);
        }
        self.take_up(book).await;
        Ok(())
    }

    /// Writes down what people asked. What cannot be honoured is refused for good: it must not take effect later, when
    /// somebody else leads or things have changed.
    async fn take_requests(&mut self, book: &mut Book) -> Result<(), Failure> {
        let (store, name) = (self.core.store(), book.rollout.name.clone());
        for RolloutAsked { number, request, by } in store.rollout_requests(&name, book.rollout.told).await? {
            let now = self.core.now();
            let asked = Event::Requested { request: request.clone(), by: by.clone(), number };
            let event = match book.would(&self.lead, now, asked.clone()) {
                Ok(_) => asked,
                Err(why) => {
                    tracing::warn!(rollout = %name, number, why, "a request is refused");
                    Event::Refused { request, by, number, why }
                }
            };
            book.append(store, &self.lead, now, event).await?;
        }
        Ok(())
    }

    /// Writes down what came of starts that led to no run.
    async fn settle(&mut self, book: &mut Book) -> Result<(), Failure> {
        let doing = self.doing.entry(book.rollout.name.clone()).or_default();
        while let Some((cluster, run, outcome)) = doing.settled.last().cloned() {
            let waits = book.rollout.part(&cluster).is_some_and(|(_, part)| part.run() == Some(&run));
            let event = Event::Settled { cluster, run: None, outcome };
            let at = self.core.now();
            if waits && book.would(&self.lead, at, event.clone()).is_ok() {
                book.append(self.core.store(), &self.lead, at, event).await?;
            }
            doing.settled.pop();
        }
        Ok(())
    }

    /// Writes down all that is due, until nothing more is to be written; what is left is to be done.
    async fn write(&mut self, book: &mut Book, fleet: &Fleet) -> Result<Vec<Action>, Failure> {
        for _ in 0..ROUNDS {
            let doing = self.doing.entry(book.rollout.name.clone()).or_default();
            let seen = self.core.seen_by(book, doing, fleet).await;
            let due = self.due(&book.rollout, &seen);
            let appends = due.iter().filter_map(|action| match action {
                Action::Append(event) => Some(event.clone()),
                Action::Start { .. } | Action::Ask { .. } | Action::Hold { .. } => None,
            });
            let appends: Vec<Event> = appends.collect();
            if appends.is_empty() {
                return Ok(due);
            }
            for event in appends {
                book.append(self.core.store(), &self.lead, self.core.now(), event).await?;
            }
        }
        Err(Failure::bug(format!("rollout {} does not come to rest", book.rollout.name)))
    }

    fn due(&self, rollout: &Rollout, seen: &Seen) -> Vec<Action> {
        let now = self.core.now();
        decide(rollout, seen, |cluster| run_id(cluster, now), now)
    }

    fn perform(&mut self, book: &Book, action: Action) {
        let name = &book.rollout.name;
        match action {
            Action::Append(_) => {}
            Action::Start { cluster, run } => self.start(&book.rollout, cluster, run),
            Action::Ask { run, request } => self.ask(name, run, request),
            Action::Hold { clusters, on } => self.hold(&book.rollout, clusters, on),
        }
    }
}

impl Doing {
    /// Stops what was begun for a rollout that is not to start anything any more.
    fn leave_off(&self, rollout: &Rollout) {
        let goes_on = rollout.phase == Phase::Active && !rollout.pause_wanted && !rollout.abort_wanted;
        if !goes_on {
            self.starting.values().for_each(CancellationToken::cancel);
        }
    }
}

/// Clusters whose health the rollout waits to see.
fn soaking(rollout: &Rollout) -> Vec<ClusterName> {
    let wave = rollout.soaking_until().and(rollout.current_wave()).and_then(|wave| rollout.waves.get(wave));
    wave.map(|wave| wave.clusters.keys().cloned().collect()).unwrap_or_default()
}
