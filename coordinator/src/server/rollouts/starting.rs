//! Starting runs in a rollout's name: under an id that is settled before, so that each is started at most once.

use std::sync::Arc;
use std::time::Duration;

use proto::{ClusterName, Epoch, Failure, RunId};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::engine::{Doing, Engine, Worked};
use super::seen::asker;
use crate::checks::{Finding, Verdict};
use crate::plan::Planned;
use crate::rollout::{Outcome, PartnerSight, Rollout, RunStands, Spec};
use crate::server::Core;
use crate::server::planning::Wish;
use crate::store::{Acquire, Lease};

/// How long to wait before something that did not work is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// How long a cluster may be such that nobody can tell whether it could be upgraded. Unreachable is not broken; but after
/// this a person is to look.
const UNCLEAR: Duration = Duration::from_secs(600);

/// What came of a start.
pub(super) enum Begun {
    /// There is a run.
    Created,
    /// There is nothing to start.
    Settled(Outcome),
    /// It cannot be told whether it could be started; it may be told later.
    Unclear(Failure),
}

impl Begun {
    /// Whether it has been unclear for so long that a person is to look.
    pub(super) fn given_up(since: Instant) -> bool {
        since.elapsed() >= UNCLEAR
    }
}

/// How far a start is before its run is created.
enum Ready {
    /// There is nothing to create.
    Begun(Begun),
    /// This is to be created.
    Create(Box<Create>),
}

/// A run that is to be created.
struct Create {
    lease: Lease,
    wish: Wish,
    partners: PartnerSight,
}

/// Ids of failures that do not pass by themselves.
const LASTING: [&str; 4] = ["invalid-acceptance", "no-such-cluster", "takeover-needed", "unknown-check"];

/// A run that is to be started.
struct Order {
    cluster: ClusterName,
    run: RunId,
    spec: Arc<Spec>,
    by: String,
    /// The leader's epoch.
    epoch: Epoch,
    /// Cancelled when it is not to be started any more.
    off: CancellationToken,
}

impl Doing {
    /// Not tried again for a moment.
    pub(super) fn not_soon(&mut self, run: RunId) {
        self.again.insert(run, Instant::now() + AGAIN);
    }

    fn may_try(&mut self, run: &RunId) -> bool {
        match self.again.get(run) {
            Some(again) if *again > Instant::now() => false,
            Some(_) => self.again.remove(run).is_some(),
            None => true,
        }
    }
}

impl Engine {
    /// Plans and starts in the background; never twice at the same time.
    pub(super) fn start(&mut self, rollout: &Rollout, cluster: ClusterName, run: RunId) {
        let doing = self.doing.entry(rollout.name.clone()).or_default();
        if doing.starting.contains_key(&run) || !doing.may_try(&run) {
            return;
        }
        let off = CancellationToken::new();
        doing.starting.insert(run.clone(), off.clone());
        let order = Order {
            cluster: cluster.clone(),
            run: run.clone(),
            spec: Arc::clone(&rollout.spec),
            by: asker(&rollout.name),
            epoch: self.lead.epoch,
            off,
        };
        let (core, slots, name) = (Arc::clone(&self.core), Arc::clone(&self.slots), rollout.name.clone());
        self.work.spawn(async move {
            let begun = core.begin(order, &slots).await;
            core.rollouts.wake();
            Worked::Begun { rollout: name, cluster, run, begun }
        });
    }

    /// What is asked of a run, in the background: the same as a person would ask.
    pub(super) fn ask(&mut self, name: &proto::RolloutName, run: RunId, request: crate::run::Request) {
        let doing = self.doing.entry(name.clone()).or_default();
        let busy = doing.starting.contains_key(&run) || doing.asking.contains_key(&run);
        if busy || !doing.may_try(&run) {
            return;
        }
        doing.asking.insert(run.clone(), request.clone());
        let (core, rollout) = (Arc::clone(&self.core), name.clone());
        self.work.spawn(async move {
            let asked = core.asked_by(&asker(&rollout), run.as_str(), request).await.map(drop);
            core.rollouts.wake();
            Worked::Asked { rollout, run, asked }
        });
    }

    /// In a coordinator that answers nobody but its own process, nobody else takes up runs of a rollout that were
    /// interrupted. Each is taken up once: a run that its driver has left is a person's.
    pub(super) async fn take_up(&mut self, book: &super::books::Book) {
        if self.core.rollouts.own_lead().is_none() {
            return;
        }
        let in_flight = book.rollout.parts().filter(|(_, _, part)| part.in_flight());
        for (cluster, run) in in_flight.filter_map(|(_, cluster, part)| Some((cluster, part.run()?))) {
            if self.taken_up.contains(run) || !self.core.is_at_work(run).await {
                continue;
            }
            // One that could not be taken up yet is tried again at the next look.
            match self.core.take_up(cluster, run, Vec::new()).await {
                Ok(()) => drop(self.taken_up.insert(run.clone())),
                Err(failure) => tracing::warn!(%run, %cluster, %failure, "the run cannot be taken up yet"),
            }
        }
    }
}

impl Core {
    async fn begin(self: &Arc<Self>, order: Order, slots: &Semaphore) -> Result<Begun, Failure> {
        let (run, epoch, off) = (order.run.clone(), order.epoch, order.off.clone());
        let ready = async {
            let _slot = slots.acquire().await.map_err(|_| Failure::bug("nothing is planned any more"))?;
            self.ready(order).await
        };
        let Create { lease, wish, partners } = match unless(off, ready).await? {
            Ready::Create(create) => *create,
            Ready::Begun(begun) => return Ok(begun),
        };
        // A plan may have taken minutes.
        self.still_leads(epoch).await?;
        let core = Arc::clone(self);
        // In a task of its own: once begun it is not left half-way. It is waited for even when it is called off meanwhile:
        // until it is known that there is no run, the rollout has one in flight.
        let created = tokio::spawn(async move { core.create(lease, &run, wish, partners).await });
        created.await.map_err(|error| Failure::bug("a start was cut off").because(error.to_string()))??;
        Ok(Begun::Created)
    }

    /// Everything up to the moment at which the run is created.
    async fn ready(&self, order: Order) -> Result<Ready, Failure> {
        let Order { cluster, run, spec, by, epoch, off: _ } = order;
        if !self.store().journal(&run, 1).await?.is_empty() {
            return Ok(Ready::Begun(Begun::Created));
        }
        if let Some(open) = self.open_run(&cluster).await? {
            let message = format!("run {} of {cluster} is not over", open.id);
            return Err(Failure::operator("blocked", message, format!("ratchet why {}", open.id)));
        }
        let lease = self.store().acquire(&cluster, &crate::identity::holder(), Acquire::IfFree).await?;
        self.still_leads(epoch).await?;
        let planned = match self.planned(cluster.as_str(), spec.target, &spec.accept).await {
            Ok(planned) => planned,
            Err(failure) => return lasting(failure).map(Ready::Begun),
        };
        if let Err(failure) = planned.above_the_agents(&cluster, lease.epoch) {
            return lasting(failure).map(Ready::Begun);
        }
        let plan = match planned.planned {
            Planned::Plan(plan) => *plan,
            Planned::NothingToDo { version, .. } => {
                return Ok(Ready::Begun(Begun::Settled(Outcome::NothingToDo { version })));
            }
            Planned::Blocked { findings } => return Ok(Ready::Begun(blocked(&cluster, &spec, &findings))),
        };
        let wish = Wish { plan, prepare_only: false, by };
        Ok(Ready::Create(Box::new(Create { lease, wish, partners: planned.partners })))
    }

    /// Refuses to go on where another coordinator leads by now: it may have settled the cluster otherwise.
    async fn still_leads(&self, epoch: Epoch) -> Result<(), Failure> {
        match self.store().leader().await? {
            Some(leader) if leader.epoch == epoch => Ok(()),
            _ => Err(Failure::retry("deposed", "another coordinator leads now")),
        }
    }

    async fn is_at_work(&self, run: &RunId) -> bool {
        let runs = self.rollouts.runs.lock().await;
        runs.get(run).is_some_and(|kept| kept.stands == RunStands::AtWork)
    }
}

/// Lets a start get ready until it is called off.
async fn unless(
    off: CancellationToken,
    ready: impl Future<Output = Result<Ready, Failure>>,
) -> Result<Ready, Failure> {
    let ready = off.run_until_cancelled(ready).await.filter(|_| !off.is_cancelled());
    ready.unwrap_or_else(|| Err(Failure::retry("called-off", "the rollout is not to start anything now")))
}

/// A failure that does not pass by itself is what came of the start.
fn lasting(failure: Failure) -> Result<Begun, Failure> {
    match LASTING.contains(&failure.id.as_str()) {
        true => Ok(Begun::Settled(Outcome::Failed(failure))),
        false => Err(failure),
    }
}

fn blocked(cluster: &ClusterName, spec: &Spec, findings: &[Finding]) -> Begun {
    let blocking: Vec<&Finding> = findings.iter().filter(|finding| finding.blocks()).collect();
    let told = what_blocks(&blocking);
    let message = format!("{cluster} cannot be upgraded to {} now", spec.target);
    let remedy = format!(
        "ratchet check {cluster} --to {}   # put right what it names, then: ratchet rollout retry {} {cluster}",
        spec.target, spec.name
    );
    let failure = Failure::operator("blocked", message, remedy).because(told);
    match blocking.iter().all(|finding| finding.verdict == Verdict::CannotTell) {
        true => Begun::Unclear(failure),
        false => Begun::Settled(Outcome::Failed(failure)),
    }
}

/// What is surely in the way. What could not be told is often only what follows from it; alone, it is all there is.
fn what_blocks(blocking: &[&Finding]) -> String {
    let (unclear, sure): (Vec<&Finding>, Vec<&Finding>) =
        blocking.iter().partition(|finding| finding.verdict == Verdict::CannotTell);
    let told =
        |findings: &[&Finding]| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match (sure.is_empty(), unclear.len()) {
        (true, _) => told(&unclear),
        (false, 0) => told(&sure),
        (false, 1) => format!("{}; and one check cannot tell", told(&sure)),
        (false, count) => format!("{}; and {count} checks cannot tell", told(&sure)),
    }
}
