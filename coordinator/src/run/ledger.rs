//! The steps of a run and what became of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto::{NodeUid, StepId, StepKind, StepOutcome, StepSpec};

/// Every step of a run, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    entries: BTreeMap<StepId, StepEntry>,
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
        self.entries.get(step)
    }

    /// All steps with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&StepId, &StepEntry)> {
        self.entries.iter()
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
        self.entries.insert(step, entry);
    }

    pub(super) fn get_mut(&mut self, step: &StepId) -> Option<&mut StepEntry> {
        self.entries.get_mut(step)
    }
}
