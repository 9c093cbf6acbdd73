//! A rollout as its journal leaves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proto::{ClusterName, RolloutName, RunId};

use crate::rollout::{HaltWhy, Outcome, RolloutEnd, Spec};

/// A rollout as its journal leaves it. Made by folding events only; see [`super::next`].
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// Its name.
    pub name: RolloutName,
    /// What its file said when it was applied last.
    pub spec: Arc<Spec>,
    /// Its waves, as many as the file has.
    pub waves: Vec<WaveStands>,
    /// Where it stands.
    pub phase: Phase,
    /// Waves that a person has approved, counted from 0.
    pub approved: BTreeSet<usize>,
    /// The wave that waits for approval, or did last.
    pub approval_wanted: Option<usize>,
    /// Whether the window was told to be closed, and until when.
    pub window_closed: Option<Option<Timestamp>>,
    /// Whether a pause was asked for and has not taken effect.
    pub pause_wanted: bool,
    /// Whether a person has told it to go on, and it has not yet.
    pub resume_wanted: bool,
    /// Whether an abort was asked for.
    pub abort_wanted: bool,
    /// The number of the last request that was taken.
    pub told: i64,
    /// Who applied the file first.
    pub by: String,
    /// When it was applied first.
    pub created_at: Timestamp,
    /// When its journal was last written.
    pub updated_at: Timestamp,
    /// Since when it is in its phase.
    pub since: Timestamp,
    /// The number of its last event.
    pub seq: u64,
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a rollout has one phase, and there are few rollouts")]
pub enum Phase {
    /// It goes on, or waits for something that comes by itself or for an approval.
    Active,
    /// It stands still because somebody wanted it to.
    Paused,
    /// It stands still because something failed, or the fleet was halted.
    Halted(HaltWhy),
    /// It is over.
    Ended(RolloutEnd),
}

/// One wave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaveStands {
    /// When it began, if it has.
    pub begun: Option<Timestamp>,
    /// Whether it soaks.
    pub soak: Soak,
    /// Its clusters, in the order they are started in.
    pub clusters: BTreeMap<ClusterName, ClusterPart>,
}

/// How far a wave's soak is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Soak {
    /// Not all of its clusters are settled.
    #[default]
    NotYet,
    /// Its clusters must stay healthy.
    Soaking {
        /// Since when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// It is over.
    Over,
}

/// A cluster's part in a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterPart {
    /// How it stands.
    pub stands: ClusterStands,
    /// Since when.
    pub since: Timestamp,
    /// Whether a person wants it to be tried again.
    pub retry_wanted: bool,
    /// If it was taken up again with its run: how many events that run's journal had.
    pub taken_up: Option<u64>,
    /// When and how it was seen not to be well, if it was at the last look of its wave's soak.
    pub unhealthy: Option<(Timestamp, Vec<String>)>,
}

/// How a cluster stands in a rollout.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterStands {
    /// Its turn has not come.
    Waiting,
    /// Its run was or is about to be started, and is not over.
    InFlight {
        /// The run.
        run: RunId,
    },
    /// The rollout is through with it.
    Settled {
        /// Its run, if one was started.
        run: Option<RunId>,
        /// How.
        outcome: Outcome,
    },
}

impl ClusterPart {
    /// A cluster whose turn has not come.
    pub(super) fn waiting(since: Timestamp) -> Self {
        let stands = ClusterStands::Waiting;
        Self { stands, since, retry_wanted: false, taken_up: None, unhealthy: None }
    }

    /// Its run, if one was started.
    pub fn run(&self) -> Option<&RunId> {
        match &self.stands {
            ClusterStands::Waiting => None,
            ClusterStands::InFlight { run } => Some(run),
            ClusterStands::Settled { run, .. } => run.as_ref(),
        }
    }

    /// Whether it is in flight.
    pub fn in_flight(&self) -> bool {
        matches!(self.stands, ClusterStands::InFlight { .. })
    }

    /// Whether it has failed.
    pub fn failed(&self) -> bool {
        matches!(self.stands, ClusterStands::Settled { outcome: Outcome::Failed(_), .. })
    }

    /// Whether its run is done.
    pub fn upgraded(&self) -> bool {
        matches!(self.stands, ClusterStands::Settled { outcome: Outcome::Upgraded, .. })
    }
}

impl WaveStands {
    /// Whether the rollout is through with all of its clusters.
    pub fn settled(&self) -> bool {
        self.clusters.values().all(|part| matches!(part.stands, ClusterStands::Settled { .. }))
    }

    /// How many of its clusters are in flight.
    pub fn in_flight(&self) -> usize {
        self.clusters.values().filter(|part| part.in_flight()).count()
    }

    /// How many of its clusters have failed.
    pub fn failures(&self) -> usize {
        self.clusters.values().filter(|part| part.failed()).count()
    }
}

impl Rollout {
    /// The first wave that is not through, counted from 0; `None` when all are.
    pub fn current_wave(&self) -> Option<usize> {
        self.waves.iter().position(|wave| wave.soak != Soak::Over)
    }

    /// Until when the current wave soaks, if it does.
    pub fn soaking_until(&self) -> Option<Timestamp> {
        match self.waves.get(self.current_wave()?)?.soak {
            Soak::Soaking { until, .. } => Some(until),
            Soak::NotYet | Soak::Over => None,
        }
    }

    /// The wave of a cluster, counted from 0, and its part; `None` if no wave names it.
    pub fn part(&self, cluster: &ClusterName) -> Option<(usize, &ClusterPart)> {
        let mut waves = self.waves.iter().enumerate();
        waves.find_map(|(index, wave)| wave.clusters.get(cluster).map(|part| (index, part)))
    }

    /// All clusters that a wave names, wave by wave.
    pub fn parts(&self) -> impl Iterator<Item = (usize, &ClusterName, &ClusterPart)> {
        self.waves
            .iter()
            .enumerate()
            .flat_map(|(index, wave)| wave.clusters.iter().map(move |(name, part)| (index, name, part)))
    }

    /// How many clusters are in flight, over all waves.
    pub fn in_flight(&self) -> usize {
        self.waves.iter().map(WaveStands::in_flight).sum()
    }

    /// How many clusters have failed, over all waves.
    pub fn failures(&self) -> usize {
        self.waves.iter().map(WaveStands::failures).sum()
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// The budget that more clusters have failed than it allows, if there is one: a wave's, or (`None`) the one in all.
    pub fn overspent(&self) -> Option<Option<usize>> {
        let over = |count: usize, budget: u32| u64::try_from(count).unwrap_or(u64::MAX) > u64::from(budget);
        let of_wave =
            |(wave, spec): (&WaveStands, &crate::rollout::Wave)| over(wave.failures(), spec.failure_budget);
        let wave = self.waves.iter().zip(&self.spec.waves).position(of_wave);
        let in_all = over(self.failures(), self.spec.failure_budget).then_some(None);
        wave.map(Some).or(in_all)
    }

    /// A cluster's part, to be changed.
    pub(super) fn part_mut(&mut self, cluster: &ClusterName) -> Option<(usize, &mut ClusterPart)> {
        let mut waves = self.waves.iter_mut().enumerate();
        waves.find_map(|(index, wave)| wave.clusters.get_mut(cluster).map(|part| (index, part)))
    }
}
