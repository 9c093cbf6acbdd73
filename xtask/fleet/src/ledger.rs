//! The ledger: every installation of the fleet, and what it may not be. It lives where the effects are, not where they
//! are ordered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use proto::{ClusterName, Epoch, NodeUid, RunId, StepId, Version};
use serde::Serialize;
use tokio::sync::watch;

use crate::cluster::SimCluster;

/// What happened to an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It began.
    Began,
    /// It ended, and its node is at the target.
    Upgraded,
    /// It ended, and its node is as it was.
    Failed,
}

/// A line of the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Of which cluster.
    pub cluster: ClusterName,
    /// On which node.
    pub node: NodeUid,
    /// Of which run.
    pub run: RunId,
    /// Its step.
    pub step: StepId,
    /// The epoch of the driver that ordered it.
    pub epoch: Epoch,
    /// What.
    pub deed: Deed,
}

/// Something that must never be.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    /// The promise that is broken, as in the README.
    pub promise: &'static str,
    /// When it was seen.
    pub at: Timestamp,
    /// What was seen.
    pub what: String,
}

/// An installation that begins or ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Install<'a> {
    pub cluster: &'a SimCluster,
    pub node: NodeUid,
    pub run: &'a RunId,
    pub step: &'a StepId,
    pub epoch: Epoch,
    pub target: Version,
    pub halted: bool,
}

/// Everything that was installed in the fleet, and every promise that was broken.
#[derive(Debug, Default)]
pub struct Ledger {
    pages: Mutex<Pages>,
    /// How many lines there are.
    lines: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Pages {
    entries: Vec<Entry>,
    violations: Vec<Violation>,
    /// Where an installer is at work.
    installing: BTreeMap<u32, BTreeSet<NodeUid>>,
    /// Installs that ever began.
    begun: BTreeSet<StepId>,
    /// The highest epoch that an install of the cluster began with.
    epochs: BTreeMap<u32, Epoch>,
    /// Which nodes are held for a run.
    claimed: BTreeMap<u32, BTreeSet<NodeUid>>,
}

impl Ledger {
    /// All lines, in their order.
    pub fn entries(&self) -> Vec<Entry> {
        self.pages().entries.clone()
    }

    /// How many installations began on a node of a cluster.
    pub fn installs(&self, cluster: &ClusterName, node: NodeUid) -> usize {
        let of_node = |entry: &&Entry| entry.cluster == *cluster && entry.node == node;
        self.pages().entries.iter().filter(of_node).filter(|entry| entry.deed == Deed::Began).count()
    }

    /// Every promise that was broken.
    pub fn violations(&self) -> Vec<Violation> {
        self.pages().violations.clone()
    }

    /// Tells how many lines there are, whenever one is added.
    pub fn lines(&self) -> watch::Receiver<usize> {
        self.lines.subscribe()
    }

    pub(crate) fn began(&self, install: Install<'_>, at: Timestamp) {
        let mut pages = self.pages();
        for (promise, what) in pages.broken_by(install) {
            pages.violations.push(Violation { promise, at, what: format!("{}: {what}", install.step) });
        }
        let number = install.cluster.number;
        pages.installing.entry(number).or_default().insert(install.node);
        pages.begun.insert(install.step.clone());
        let highest = pages.epochs.entry(number).or_default();
        *highest = install.epoch.max(*highest);
        self.write(&mut pages, install, at, Deed::Began);
    }

    pub(crate) fn ended(&self, install: Install<'_>, at: Timestamp, upgraded: bool) {
        let mut pages = self.pages();
        pages.installing.entry(install.cluster.number).or_default().remove(&install.node);
        self.write(&mut pages, install, at, if upgraded { Deed::Upgraded } else { Deed::Failed });
    }

    /// A node is held for a run from now on.
    pub(crate) fn claimed(&self, cluster: &SimCluster, node: NodeUid, at: Timestamp) {
        let mut pages = self.pages();
        for partner in pages.partners_in_flight(cluster) {
            let what = format!("{} is taken for a run while its partner c{partner:04} is", cluster.name);
            pages.violations.push(Violation { promise: "partners", at, what });
        }
        pages.claimed.entry(cluster.number).or_default().insert(node);
    }

    /// Nobody holds a node any more.
    pub(crate) fn released(&self, cluster: &SimCluster, node: NodeUid) {
        self.pages().claimed.entry(cluster.number).or_default().remove(&node);
    }

    fn write(&self, pages: &mut Pages, install: Install<'_>, at: Timestamp, deed: Deed) {
        let Install { cluster, node, run, step, epoch, .. } = install;
        let (cluster, run, step) = (cluster.name.clone(), run.clone(), step.clone());
        pages.entries.push(Entry { at, cluster, node, run, step, epoch, deed });
        self.lines.send_replace(pages.entries.len());
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// What an installation that begins now breaks.
    fn broken_by(&self, install: Install<'_>) -> Vec<(&'static str, String)> {
        let Install { cluster, node, target, .. } = install;
        let (version, master) = (cluster.version(node), cluster.master());
        let others = self.installing.get(&cluster.number).is_some_and(|at_work| !at_work.is_empty());
        let overtaken = self.epochs.get(&cluster.number).filter(|highest| install.epoch < **highest);
        let checks = [
            (others, "P1", "another installer is at work in the cluster".to_owned()),
            (
                node != master && cluster.version(master) != Some(target),
                "P2",
                format!("it is not the master, and the master, {master}, is not upgraded"),
            ),
            (version == Some(target), "P6", format!("{node} is at {target} already")),
            (self.begun.contains(install.step), "P6", "it has begun before".to_owned()),
            (overtaken.is_some(), "P8", format!("epoch {} is over", install.epoch)),
            (install.halted, "halt", format!("{node} is halted")),
            (!self.partners_in_flight(cluster).is_empty(), "partners", "a partner is in flight".to_owned()),
        ];
        checks.into_iter().filter(|(broken, ..)| *broken).map(|(_, promise, what)| (promise, what)).collect()
    }

    fn partners_in_flight(&self, cluster: &SimCluster) -> Vec<u32> {
        let in_flight = |partner: &&u32| self.claimed.get(partner).is_some_and(|nodes| !nodes.is_empty());
        cluster.partners.iter().filter(in_flight).copied().collect()
    }
}

#[cfg(test)]
mod tests;
