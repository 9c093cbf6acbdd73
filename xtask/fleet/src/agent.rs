//! A simulated agent: its books, by the agent's own rules, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::claims::ClaimRecord;
use agent::refusal::Refusal;
use jiff::Timestamp;
use proto::wire::{Claimed, Observe, SetHalt, TakeClaim, TakeOver, TakenOver};
use proto::{
    AgentMemory, Authority, Claim, Clock, Failure, HeldPackage, NodeFacts, NodeHalt, NodeUid, RunId, Sha256,
    StepHistory, StepId, StepInFlight, StepKind,
};
use tokio::sync::watch;

use crate::certificates::Certificates;
use crate::cluster::SimCluster;
use crate::facts;
use crate::halts::Halts;
use crate::ledger::Ledger;
use crate::spec::Pace;
use crate::step::Step;

/// What all agents of a fleet have in common.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pace: Pace,
    pub(crate) obeys_halts: bool,
    pub(crate) clock: Clock,
    /// Whether installations that are at work do not end.
    pub(crate) held: watch::Sender<bool>,
    /// With what connections are secured, if they are.
    pub(crate) certificates: Option<Arc<Certificates>>,
}

/// The agent of one simulated node.
#[derive(Debug)]
pub(crate) struct SimAgent {
    pub(crate) uid: NodeUid,
    pub(crate) cluster: Arc<SimCluster>,
    pub(crate) common: Arc<Common>,
    desk: Mutex<Desk>,
}

/// Claims, steps and halts, under one lock.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) claims: ClaimRecord,
    pub(crate) steps: BTreeMap<StepId, Arc<Step>>,
    pub(crate) halts: Halts,
    pub(crate) packages: BTreeMap<Sha256, HeldPackage>,
}

impl Desk {
    /// The step at work, the exclusive one first.
    pub(crate) fn current(&self) -> Option<&Arc<Step>> {
        let at_work = || self.steps.values().filter(|step| !step.has_ended());
        at_work().find(|step| is_exclusive(step.record.spec.kind())).or_else(|| at_work().next())
    }

    fn refuse_during_install(&self) -> Result<(), Refusal> {
        let at_work = self.steps.values().filter(|step| !step.has_ended());
        let install = at_work.map(|step| &step.record).find(|record| record.spec.kind() == StepKind::Install);
        install.map_or(Ok(()), |record| Err(Refusal::InstallInFlight { step: record.step.clone() }))
    }
}

/// As on the real agent: what looks at or changes the product does so alone.
pub(crate) fn is_exclusive(kind: StepKind) -> bool {
    match kind {
        StepKind::Fetch | StepKind::Unpack | StepKind::Collect => false,
        StepKind::Check | StepKind::Install | StepKind::Confirm | StepKind::Restart | StepKind::Tune => true,
    }
}

impl SimAgent {
    pub(crate) fn new(uid: NodeUid, cluster: Arc<SimCluster>, common: Arc<Common>) -> Self {
        Self { uid, cluster, common, desk: Mutex::default() }
    }

    /// The name it connects under.
    pub(crate) fn name(&self) -> String {
        format!("{}-n{}", self.cluster.name, self.uid.0)
    }

    pub(crate) fn memory(&self) -> AgentMemory {
        format!("memory-of-{}", self.name()).parse().unwrap_or_else(|_| unreachable!("letters and digits"))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.common.clock.now()
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn observe(&self, asked: &Observe) -> NodeFacts {
        let mut facts = facts::of_node(&self.cluster, self.uid, asked, self.now());
        let desk = self.desk();
        facts.claim.clone_from(&desk.claims.claim);
        facts.highest_epoch = desk.claims.highest_epoch;
        facts.current_step = desk.current().map(|step| StepInFlight {
            step: step.record.step.clone(),
            kind: step.record.spec.kind(),
            since: step.record.accepted_at,
        });
        facts.packages = desk.packages.values().cloned().collect();
        facts.halts = desk.halts.in_force();
        facts.memory = self.memory();
        facts
    }

    pub(crate) fn claim(&self, asked: TakeClaim) -> Result<Claimed, Failure> {
        let TakeClaim { run, cluster, epoch, holder, expected_node } = asked;
        self.refuse_other_node(expected_node)?;
        let mut desk = self.desk();
        let claim = Claim { run, cluster, epoch, holder, since: self.now() };
        desk.claims = desk.claims.claim(claim.clone()).map_err(|refusal| refusal.failure())?;
        self.common.ledger.claimed(&self.cluster, self.uid, self.now());
        Ok(Claimed { claim: desk.claims.claim.clone().unwrap_or(claim), memory: self.memory() })
    }

    pub(crate) fn take_over(&self, asked: &TakeOver) -> Result<TakenOver, Failure> {
        self.refuse_other_node(asked.node)?;
        let mut desk = self.desk();
        let record = desk.claims.take_over(asked, self.now()).map_err(|refusal| refusal.failure())?;
        if !asked.despite_install {
            desk.refuse_during_install().map_err(|refusal| refusal.failure())?;
        }
        let before = std::mem::replace(&mut desk.claims, record).claim;
        match desk.claims.claim {
            Some(_) => self.common.ledger.claimed(&self.cluster, self.uid, self.now()),
            None => self.common.ledger.released(&self.cluster, self.uid),
        }
        Ok(TakenOver { before, memory: self.memory() })
    }

    pub(crate) fn release(&self, authority: &Authority) -> Result<(), Failure> {
        let mut desk = self.desk();
        let record = desk.claims.release(authority).map_err(|refusal| refusal.failure())?;
        desk.refuse_during_install().map_err(|refusal| refusal.failure())?;
        desk.claims = record;
        self.common.ledger.released(&self.cluster, self.uid);
        Ok(())
    }

    pub(crate) fn cancel(&self, authority: &Authority, step: StepId) -> Result<(), Failure> {
        let desk = self.desk();
        desk.claims.check(authority).map_err(|refusal| refusal.failure())?;
        let at_work = desk.steps.get(&step).filter(|step| !step.has_ended());
        let found = at_work.ok_or_else(|| Refusal::NotRunning { step: step.clone() }.failure())?;
        let kind = found.record.spec.kind();
        if !kind.can_be_cancelled() {
            return Err(Refusal::NotCancellable { step, kind }.failure());
        }
        found.cancel();
        Ok(())
    }

    pub(crate) fn set_halt(&self, asked: SetHalt) -> Result<Vec<NodeHalt>, Failure> {
        let mut desk = self.desk();
        desk.halts.set(asked)?;
        Ok(desk.halts.in_force())
    }

    pub(crate) fn histories(&self, run: &RunId) -> Vec<StepHistory> {
        let desk = self.desk();
        let of_run = desk.steps.values().filter(|step| step.record.run == *run);
        of_run.map(|step| step.history()).collect()
    }

    fn refuse_other_node(&self, expected: Option<NodeUid>) -> Result<(), Failure> {
        match expected {
            Some(expected) if expected != self.uid => {
                let message = format!("this agent is that of {}, not of {expected}", self.uid);
                Err(Failure::operator("wrong-node", message, "correct the agents' addresses"))
            }
            _ => Ok(()),
        }
    }
}
