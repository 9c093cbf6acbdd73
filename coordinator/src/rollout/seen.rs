//! What a rollout sees of the world, and what it does about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use proto::{ClusterName, Failure, RunId};

use super::Event;
use crate::run::Request as RunRequest;

/// What is seen now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Runs that the rollout has started, as their journals leave them. One that is missing was never created.
    pub runs: BTreeMap<RunId, RunSeen>,
    /// Clusters of the fleet with a run that is not over, whoever started it; a halted or paused run is in flight.
    pub in_flight: BTreeMap<ClusterName, RunId>,
    /// Clusters' health as it was seen last. One that is missing was not seen yet.
    pub health: BTreeMap<ClusterName, Health>,
    /// Which clusters replicate with each other.
    pub partners: Partners,
    /// How long turns last.
    pub turns: Measured,
    /// By whom and why the whole fleet is halted, if it is.
    pub fleet_halt: Option<String>,
}

/// A run, as far as a rollout cares.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSeen {
    /// Its cluster.
    pub cluster: ClusterName,
    /// How it stands.
    pub stands: RunStands,
    /// Whether somebody has asked it to pause, and it has not yet.
    pub pausing: bool,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum RunStands {
    /// It is at work, or will be taken up by whoever leads.
    AtWork,
    /// It is paused because the window is closed.
    OutsideWindow,
    /// It is paused because somebody asked for it, or something changed.
    Paused,
    /// It has halted.
    Halted(Failure),
    /// It is done.
    Done,
    /// It was aborted.
    Aborted,
    /// It was blocked before it changed anything.
    Blocked(Failure),
}

/// A cluster's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// When it was looked at.
    pub at: Timestamp,
    /// What is not known to be well; nothing if it is healthy.
    pub problems: Vec<String>,
}

/// Which clusters must not be in flight together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partners {
    /// Pairs that replicate with each other, Active-Active or Replica-Of; both directions are in it.
    pub pairs: BTreeSet<(ClusterName, ClusterName)>,
    /// Clusters that replicate with somebody who could not be told: partners of each other, until it is known.
    pub unclear: BTreeSet<ClusterName>,
}

/// How long turns last, as measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// The 95th percentile of each cluster with enough turns of its own.
    pub of_cluster: BTreeMap<ClusterName, Duration>,
    /// The 95th percentile of the whole fleet, if there are enough turns.
    pub of_fleet: Option<Duration>,
}

/// What is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// To write this down.
    Append(Event),
    /// To plan an upgrade of the cluster and to start a run of it under this id, unless there is one already. What comes
    /// of it is seen at the next look, or, if there is nothing to start, appended as [`Event::Settled`].
    Start {
        /// The cluster.
        cluster: ClusterName,
        /// The run.
        run: RunId,
    },
    /// To ask this of a run.
    Ask {
        /// The run.
        run: RunId,
        /// What.
        request: RunRequest,
    },
    /// To tell the agents of these clusters to refuse installs (or no longer to).
    Hold {
        /// The clusters.
        clusters: BTreeSet<ClusterName>,
        /// Whether to hold.
        on: bool,
    },
}
