//! The promises, checked where the effects are: in the world, not in what anybody says of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::executor::StepRecord;
use coordinator::run::{Event, Phase, Record, Request, Run, RunEnd, StepState, replay};
use proto::{Epoch, InstallSpec, NodeUid, RunId, StepId, StepKind, StepOutcome, StepSpec, Version};

use crate::history::History;
use crate::product::Cluster;
use crate::store::{Appended, Truth};

/// The master role may move between the agent's last look and the first line of the installer: that takes a launch, a
/// proof of the bytes and the slowest tool.
const ROLE_MS: u64 = 10_000;
/// How long before an install began a cluster may have stopped being healthy: a look of the watch, an agent's silence
/// in it, and the time in which an order on its way is not given up.
const STALE_MS: u64 = 100_000;

/// An install that began.
#[derive(Clone, Debug)]
struct Begun {
    at_ms: u64,
    uid: u32,
    run: RunId,
    hop: usize,
    step: StepId,
    ended: bool,
}

/// Who watches over the promises.
#[derive(Debug)]
pub struct Promises {
    history: History,
    truth: Arc<Truth>,
    cluster: Arc<Cluster>,
    settings: BTreeMap<String, String>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    begun: Vec<Begun>,
    /// When an agent wrote down the order of a step, in virtual milliseconds.
    accepted: BTreeMap<StepId, u64>,
}

impl Promises {
    /// Watches over a world from now on.
    pub fn new(history: History, truth: Arc<Truth>, cluster: Arc<Cluster>) -> Arc<Self> {
        let settings = cluster.read(|model, _| model.config.clone());
        Arc::new(Self { history, truth, cluster, settings, seen: Mutex::default() })
    }

    /// An agent has the order of a step on its disk.
    pub fn accepted(&self, step: StepId) {
        let now = self.history.now();
        self.seen().accepted.insert(step, now);
    }

    /// How many installs began.
    pub fn installs(&self) -> usize {
        self.seen().begun.len()
    }

    /// `install.sh` begins on a node.
    pub fn install_begins(&self, uid: u32, record: &StepRecord) {
        let StepSpec::Install(spec) = &record.spec else {
            self.history.violation("P3", format!("{} is no install, and one was begun for it", record.step));
            return;
        };
        self.history
            .note(&format!("n{uid}"), format!("INSTALL {} begins ({})", spec.target, short(&record.step)));
        let journal = self.truth.journal(&record.run);
        let Some(run) = self.replayed(&record.run, &journal) else { return };
        let Some(entry) = run.ledger.get(&record.step) else {
            self.history.violation("P7", format!("n{uid} installs what no journal intends"));
            return;
        };
        let hop = entry.hop;
        if matches!(run.phase, Phase::Ended(_)) {
            self.history.violation("P1", format!("n{uid} installs for a run that is over"));
        }
        self.one_at_a_time(uid, &run, &journal);
        self.master_first(uid, &run, hop);
        self.supported(uid, &run, hop, spec);
        self.healthy_before(uid);
        self.at_most_once(uid, &record.step, hop, &journal, &run.id);
        self.one_driver(uid, &record.step, &journal);
        let (at_ms, step) = (self.history.now(), record.step.clone());
        self.seen().begun.push(Begun { at_ms, uid, run: run.id, hop, step, ended: false });
    }

    /// The installer of a step has ended, or can no longer do anything.
    pub fn install_ended(&self, step: &StepId) {
        if let Some(begun) = self.seen().begun.iter_mut().find(|begun| begun.step == *step) {
            begun.ended = true;
        }
    }

    /// Whether an installer is at work on a node: what a person sees who looks there.
    pub fn is_installing(&self, uid: u32) -> bool {
        self.seen().begun.iter().any(|begun| begun.uid == uid && !begun.ended)
    }

    /// A failed attempt that a person has closed with `retry` needs no confirmation: the gate after it looks at the whole
    /// cluster, and the master's turn may come first.
    fn one_at_a_time(&self, uid: u32, run: &Run, journal: &[Appended]) {
        for begun in self.seen().begun.iter().filter(|begun| begun.uid != uid) {
            if !begun.ended {
                self.history.violation("P1", format!("n{uid} installs while n{} does", begun.uid));
            }
            let done =
                run.nodes.get(&NodeUid(begun.uid)).is_some_and(|other| other.done.contains_key(&begun.hop));
            if begun.run == run.id && !done && !retried_since(journal, begun.at_ms) {
                self.history.violation("P1", format!("n{uid} installs before n{} is confirmed", begun.uid));
            }
        }
        if run.turn.as_ref().is_none_or(|turn| turn.node.0 != uid) {
            self.history.violation("P1", format!("n{uid} installs and it is not its turn: {:?}", run.turn));
        }
    }

    fn master_first(&self, uid: u32, run: &Run, hop: usize) {
        let since = self.history.now().saturating_sub(ROLE_MS);
        let masters = self.cluster.health().masters;
        let recent = masters
            .iter()
            .enumerate()
            .filter(|(index, _)| masters.get(index + 1).is_none_or(|(until, _)| *until >= since));
        let waiting = run.waiting(hop);
        let mut recent = recent.map(|(_, (_, master))| *master);
        let due = |master: Option<u32>| {
            master.is_none_or(|master| master == uid || !waiting.contains(&NodeUid(master)))
        };
        if !recent.any(due) {
            self.history.violation("P2", format!("n{uid} installs before the master: {masters:?}"));
        }
    }

    fn supported(&self, uid: u32, run: &Run, hop: usize, spec: &InstallSpec) {
        let planned = run.plan.hops.get(hop).map(|planned| planned.to);
        if planned != Some(spec.target) {
            self.history.violation("P3", format!("n{uid} installs {}, planned is {planned:?}", spec.target));
        }
        match self.cluster.version_on_disk(uid) {
            Ok(from) if sim::facts::installer_accepts(from, spec.target) => {}
            from => self.history.violation("P3", format!("n{uid} goes from {from:?} to {}", spec.target)),
        }
    }

    fn healthy_before(&self, uid: u32) {
        let now = self.history.now();
        if let Some(since) = self.cluster.health().unhealthy_since.filter(|since| now - since > STALE_MS) {
            let what = format!("n{uid} installs in a cluster that is not healthy for {} ms", now - since);
            self.history.violation("P4", what);
        }
    }

    fn at_most_once(&self, uid: u32, step: &StepId, hop: usize, journal: &[Appended], run: &RunId) {
        let seen = self.seen();
        if seen.begun.iter().any(|begun| begun.step == *step) {
            self.history.violation("P6", format!("{} begins twice", short(step)));
        }
        let mut before =
            seen.begun.iter().filter(|begun| begun.uid == uid && begun.hop == hop && begun.run == *run);
        let Some(last) = before.next_back() else { return };
        if !retried_since(journal, last.at_ms) {
            self.history.violation("P6", format!("n{uid} installs again and nobody asked for it"));
        }
    }

    /// No node obeys a driver after it has obeyed a later one.
    fn one_driver(&self, uid: u32, step: &StepId, journal: &[Appended]) {
        let intent = |appended: &&Appended| matches!(&appended.record.event, Event::StepIntended { step: intended, .. } if intended == step);
        let Some(intent) = journal.iter().rfind(intent) else { return };
        let accepted = self.seen().accepted.get(step).copied().unwrap_or(u64::MAX);
        let later = |appended: &&Appended| {
            let claimed = matches!(&appended.record.event, Event::Claimed { node, .. } if node.0 == uid);
            claimed && appended.record.epoch > intent.record.epoch && appended.at_ms < accepted
        };
        if let Some(later) = journal.iter().find(later) {
            let (old, new): (Epoch, Epoch) = (intent.record.epoch, later.record.epoch);
            self.history.violation("P8", format!("n{uid} obeys epoch {old} after epoch {new}"));
        }
    }

    /// What must hold when nothing happens any more.
    pub fn at_end(&self) {
        for listing in self.truth.runs() {
            let journal = self.truth.journal(&listing.id);
            let Some(run) = self.replayed(&listing.id, &journal) else { continue };
            self.nothing_lost(&run);
            if let Phase::Ended(end) = &run.phase {
                self.ended_well(&run, end);
            }
        }
    }

    fn replayed(&self, run: &RunId, journal: &[Appended]) -> Option<Run> {
        let records: Vec<Record> = journal.iter().map(|appended| appended.record.clone()).collect();
        let replayed = replay(run, &records);
        replayed.map_err(|illegal| self.history.violation("P7", illegal)).ok()
    }

    /// Every install that began is in the journal, as one that may have begun; every one that ended did begin.
    fn nothing_lost(&self, run: &Run) {
        let seen = self.seen();
        let began = |step: &StepId| seen.begun.iter().any(|begun| begun.step == *step);
        for (step, entry) in run.ledger.iter().filter(|(_, entry)| entry.kind() == StepKind::Install) {
            let wrong = match (&entry.state, began(step)) {
                (StepState::NeverStarted, true) => Some("never reached its agent"),
                (StepState::Ended(outcome), true) if matches!(**outcome, StepOutcome::Failed(_)) => {
                    Some("was refused before it began")
                }
                (StepState::Ended(outcome), false) if matches!(**outcome, StepOutcome::Completed { .. }) => {
                    Some("was completed")
                }
                _ => None,
            };
            if let Some(said) = wrong {
                let what = format!("{} {said}, says the journal; it began: {}", short(step), began(step));
                self.history.violation("P7", what);
            }
        }
    }

    fn ended_well(&self, run: &Run, end: &RunEnd) {
        let settings = self.cluster.read(|model, _| model.config.clone());
        // What could not be put back is left to a person, in as many words.
        let told = run.advice.iter().any(|advice| advice.contains("rladmin tune cluster"));
        if settings != self.settings && !told {
            self.history.violation("P13", format!("settings are {settings:?} and were {:?}", self.settings));
        }
        if *end == RunEnd::Done {
            let versions = |uid: NodeUid| self.cluster.version_on_disk(uid.0).ok();
            let wrong: Vec<(NodeUid, Option<Version>)> =
                run.nodes.keys().map(|uid| (*uid, versions(*uid))).collect();
            if wrong.iter().any(|(_, version)| *version != Some(run.plan.target)) {
                self.history.violation("P9", format!("the run is done and the nodes are at {wrong:?}"));
            }
        }
    }

    /// Lines are only ever added, so a poisoned lock is harmless.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a person has asked for another attempt since.
fn retried_since(journal: &[Appended], at_ms: u64) -> bool {
    journal.iter().any(|appended| {
        let retry = matches!(&appended.record.event, Event::Requested { request: Request::Retry { .. }, .. });
        retry && appended.at_ms >= at_ms
    })
}

/// A step's id without its run.
fn short(step: &StepId) -> &str {
    step.as_str().split_once(".h").map_or(step.as_str(), |(_, rest)| rest)
}
