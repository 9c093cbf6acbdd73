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
    /// Clusters whose agents refuse installs because this rollout told them to, as far as is known.
    pub held: BTreeSet<ClusterName>,
}

/// A run, as far as a rollout cares.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSeen {
    /// Its cluster.
    pub cluster: ClusterName,
    /// How it stands.
    pub stands: RunStands,
    /// How many events its journal has.
    pub events: u64,
    /// Whether somebody has asked it to pause, and it has not yet.
    pub pausing: bool,
    /// Whether somebody has asked it to abort, and it is not over yet; a second time would be insisting.
    pub aborting: bool,
    /// Whether somebody has asked it to resume or to retry, and it has not taken that request yet.
    pub resuming: bool,
    /// Whether it was the rollout that asked for the pause it is in: then the rollout resumes it. A pause of a person's own,
    /// or one because something changed, is for a person to end.
    pub our_pause: bool,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum RunStands {
    /// It is at work, or will be taken up by whoever leads; or it is being planned and created just now.
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
    /// Clusters of which it could not be told with whom, or whether, they replicate: partners of each other, until it is known.
    pub unclear: BTreeSet<ClusterName>,
    /// Clusters that nobody has looked at yet, for instance just after a leader has begun: they may be anybody's partners.
    /// None of them is started, and nothing beside one that is in flight.
    pub unseen: BTreeSet<ClusterName>,
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
    /// To tell the agents of these clusters to refuse installs (or no longer to); due until [`Seen::held`] says so.
    Hold {
        /// The clusters.
        clusters: BTreeSet<ClusterName>,
        /// Whether to hold.
        on: bool,
    },
}
