//! A run as its journal leaves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proto::{
    AgentMemory, Epoch, Failure, NodeRole, NodeUid, RunId, Setting, StepId, StepKind, StepSpec, Version,
};

use super::{Breach, Halt, Ledger, Retry, RunEnd, SideEffects};
use crate::fingerprint::{Change, Fingerprint};
use crate::plan::{Plan, PlannedHop};

/// A run as its journal leaves it. Made by folding events only; see [`super::next`].
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The plan it carries out. Shared: a run is copied often, its plan never changes.
    pub plan: Arc<Plan>,
    /// Whether it stops after fetching and unpacking.
    pub prepare_only: bool,
    /// How long each kind of waiting may last.
    pub deadlines: super::Deadlines,
    /// Where it stands.
    pub phase: Phase,
    /// Who drives or last drove it.
    pub driver: Option<Driver>,
    /// Its nodes.
    pub nodes: BTreeMap<NodeUid, NodeProgress>,
    /// The turn in progress.
    pub turn: Option<Turn>,
    /// Its steps.
    pub ledger: Ledger,
    /// Nodes whose agents obey the present driver.
    pub claimed: BTreeSet<NodeUid>,
    /// Nodes whose agents have been asked to take the claim back.
    pub released: BTreeSet<NodeUid>,
    /// Nodes whose agents could not be asked to, and may still hold the claim.
    pub kept: BTreeSet<NodeUid>,
    /// The first refused claim.
    pub refused: Option<(NodeUid, Failure)>,
    /// How often a person has told the run to go on, or to end.
    pub told: u32,
    /// Whether a pause was asked for and has not taken effect.
    pub pause_wanted: bool,
    /// Whether an abort was asked for.
    pub abort_wanted: bool,
    /// How often an abort was asked for.
    pub aborts: u32,
    /// Why the gate last held back, until when it waits.
    pub held: Option<(Vec<String>, Timestamp)>,
    /// What is being tried again, by node; `None` for what is about no single node.
    pub retries: BTreeMap<Option<NodeUid>, Retry>,
    /// What the watch saw, and when, as long as no gate has passed since.
    pub breach: Option<(Timestamp, Vec<Breach>)>,
    /// How many turns in a row a breach has turned back.
    pub turned_back: u32,
    /// The memory of each agent as it was claimed.
    pub memories: BTreeMap<NodeUid, AgentMemory>,
    /// The journal and the world tell different stories: a person must say which is true.
    pub contradiction: Option<Halt>,
    /// Settings that were written down.
    pub settings: SideEffects,
    /// How the cluster is configured, going by the plan and by what was acknowledged since.
    pub configuration: Option<Arc<Fingerprint>>,
    /// Why others do not let a turn begin, and when they will, as long as the run is paused for that.
    pub not_admitted: Option<(String, Option<Timestamp>)>,
    /// What somebody else has changed, as long as nobody has acknowledged it.
    pub foreign: Vec<Change>,
    /// What the vendor's procedure leaves to a person.
    pub advice: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its journal was last written.
    pub updated_at: Timestamp,
    /// Since when it is in its phase.
    pub phase_since: Timestamp,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Created, or at work.
    Active,
    /// Standing still because somebody wanted it to.
    Paused,
    /// Standing still because something failed.
    Halted(Halt),
    /// Over.
    Ended(RunEnd),
}

/// Who drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// Who, for people.
    pub holder: String,
    /// The fencing number.
    pub epoch: Epoch,
}

/// A node's part in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeProgress {
    /// Which install attempt it is at, from 1. Only an explicit retry makes it grow (promise P6).
    pub attempt: u32,
    /// Grows with every gate, resume and retry, so that steps that may be repeated get ids of their own.
    pub round: u32,
    /// Hops it is through, with when.
    pub done: BTreeMap<usize, Timestamp>,
    /// Who confirmed it, in the last hop it is through.
    pub witnesses: Vec<NodeUid>,
    /// The version it was last seen at.
    pub version: Version,
    /// The role it was last seen in.
    pub role: NodeRole,
    /// When its last turn began.
    pub turn_started_at: Option<Timestamp>,
}

/// A node's turn: from a passed gate to its witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The hop.
    pub hop: usize,
    /// The node.
    pub node: NodeUid,
    /// The version it was seen at when the gate passed.
    pub from: Version,
    /// The role it was seen in.
    pub role: NodeRole,
    /// The node's round when the gate passed: this turn's check carries it.
    pub round: u32,
}

impl Run {
    /// The hop at work, counted from 0, and its plan; `None` when all are through.
    pub fn hop(&self) -> Option<(usize, &PlannedHop)> {
        self.plan.hops.iter().enumerate().find(|(index, _)| !self.hop_done(*index))
    }

    /// Whether every node with a turn in that hop is through it.
    pub fn hop_done(&self, hop: usize) -> bool {
        let through =
            |node: &NodeUid| self.nodes.get(node).is_some_and(|progress| progress.done.contains_key(&hop));
        self.plan.hops.get(hop).is_some_and(|planned| planned.turns.iter().all(|turn| through(&turn.node)))
    }

    /// Nodes of a hop that are not through it, in the planned order.
    pub fn waiting(&self, hop: usize) -> Vec<NodeUid> {
        let turns = self.plan.hops.get(hop).map(|planned| planned.turns.as_slice()).unwrap_or_default();
        let through =
            |node: &NodeUid| self.nodes.get(node).is_some_and(|progress| progress.done.contains_key(&hop));
        turns.iter().map(|turn| turn.node).filter(|node| !through(node)).collect()
    }

    /// The id of a node's step as things stand: installs are counted by attempt, all others by round. Changes of settings
    /// have their own numbers, see [`super::settings`].
    pub fn step_id(&self, node: NodeUid, hop: usize, kind: StepKind) -> StepId {
        let number = self.nodes.get(&node).map_or(1, |progress| match kind {
            StepKind::Install => progress.attempt,
            _ => progress.round,
        });
        StepId::of(&self.id, hop, node, kind, number)
    }

    /// Installs that may have been started, on one node or on all.
    pub fn installs(&self, node: Option<NodeUid>) -> usize {
        let started = self.ledger.iter().filter(|(_, entry)| {
            matches!(entry.spec, StepSpec::Install(_))
                && entry.state != super::StepState::NeverStarted
                && node.is_none_or(|node| node == entry.node)
                && !entry.refused()
        });
        started.count()
    }

    /// Settings that are to be put back before the run may end well (promise P13).
    pub fn open_settings(&self) -> impl Iterator<Item = (Setting, &super::SideEffect)> {
        self.settings.iter().filter(|(_, effect)| effect.open()).map(|(setting, effect)| (*setting, effect))
    }

    /// Whether somebody has asked for an abort again, after one that could not put everything back.
    pub fn insists_on_abort(&self) -> bool {
        self.abort_wanted && self.aborts > 1
    }

    /// Whether the turn has come as far as an install that may have been started.
    pub fn install_intended(&self, turn: &Turn) -> bool {
        let install = self.step_id(turn.node, turn.hop, StepKind::Install);
        self.ledger.get(&install).is_some_and(|entry| entry.state != super::StepState::NeverStarted)
    }

    /// The install that was intended and has not been heard of since, if there is one.
    pub fn install_in_flight(&self) -> Option<(&StepId, &super::StepEntry)> {
        self.ledger.iter().find(|(_, entry)| entry.kind() == StepKind::Install && entry.in_flight())
    }
}
