//! The steps of a run and what became of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use proto::{NodeUid, StepId, StepKind, StepOutcome, StepSpec};

/// Every step of a run, by id. Copies share what has not changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    entries: Arc<BTreeMap<StepId, Arc<StepEntry>>>,
}

/// A step and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepEntry {
    /// The node.
    pub node: NodeUid,
    /// The hop.
    pub hop: usize,
    /// The install attempt it belongs to.
    pub attempt: u32,
    /// The node's round it belongs to: it grows with every gate, resume and retry.
    pub round: u32,
    /// How often a person had told the run to go on by then, see [`super::Run::told`].
    pub told: u32,
    /// What it is to do.
    pub spec: StepSpec,
    /// What became of it.
    pub state: StepState,
    /// When it was intended.
    pub intended_at: Timestamp,
    /// When its end was written.
    pub ended_at: Option<Timestamp>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    /// Intended; it may or may not have reached the agent.
    InFlight,
    /// Ended.
    Ended(Box<StepOutcome>),
    /// It never reached the agent.
    NeverStarted,
}

impl StepEntry {
    /// Its kind.
    pub fn kind(&self) -> StepKind {
        self.spec.kind()
    }

    /// Whether it completed.
    pub fn completed(&self) -> bool {
        matches!(&self.state, StepState::Ended(outcome) if matches!(**outcome, StepOutcome::Completed { .. }))
    }

    /// Whether it is in flight.
    pub fn in_flight(&self) -> bool {
        self.state == StepState::InFlight
    }

    /// Whether its agent refused it before anything was started.
    pub fn refused(&self) -> bool {
        matches!(self.outcome(), Some(StepOutcome::Failed(_)))
    }

    /// How it ended, if it did.
    pub fn outcome(&self) -> Option<&StepOutcome> {
        match &self.state {
            StepState::Ended(outcome) => Some(outcome),
            StepState::InFlight | StepState::NeverStarted => None,
        }
    }
}

impl Ledger {
    /// The step of that id.
    pub fn get(&self, step: &StepId) -> Option<&StepEntry> {
        self.entries.get(step).map(Arc::as_ref)
    }

    /// All steps with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&StepId, &StepEntry)> {
        self.entries.iter().map(|(step, entry)| (step, entry.as_ref()))
    }

    /// How many steps of a kind there have been, on all nodes and in all hops.
    pub fn count(&self, kind: StepKind) -> u32 {
        let many = self.iter().filter(|(_, entry)| entry.kind() == kind).count();
        u32::try_from(many).unwrap_or(u32::MAX)
    }

    /// Steps of a node in a hop, of one kind.
    pub fn of(
        &self,
        node: NodeUid,
        hop: usize,
        kind: StepKind,
    ) -> impl Iterator<Item = (&StepId, &StepEntry)> {
        self.iter().filter(move |(_, entry)| entry.node == node && entry.hop == hop && entry.kind() == kind)
    }

    pub(super) fn insert(&mut self, step: StepId, entry: StepEntry) {
        Arc::make_mut(&mut self.entries).insert(step, Arc::new(entry));
    }

    pub(super) fn get_mut(&mut self, step: &StepId) -> Option<&mut StepEntry> {
        Arc::make_mut(&mut self.entries).get_mut(step).map(Arc::make_mut)
    }
}
