//! How a rollout stands, as far as news and metrics care: a fold of its journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto::{ClusterName, Version};

use crate::rollout::{Event, Outcome, Record, RolloutEnd};

/// Where a cluster of a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterStands {
    /// Its turn is to come.
    Waiting,
    /// Its run is under way, or stands still.
    InFlight,
    /// It is at the target by this rollout.
    Upgraded,
    /// It was at the target already.
    NothingToDo,
    /// It failed.
    Failed,
}

impl ClusterStands {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::InFlight, Self::Upgraded, Self::NothingToDo, Self::Failed];

    /// Its word in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InFlight => "in_flight",
            Self::Upgraded => "upgraded",
            Self::NothingToDo => "nothing_to_do",
            Self::Failed => "failed",
        }
    }
}

/// How a rollout stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What its clusters are to be upgraded to.
    pub target: Option<Version>,
    /// The names of its waves.
    pub waves: Vec<String>,
    /// Its clusters.
    pub clusters: BTreeMap<ClusterName, ClusterStands>,
    /// Whether a wave of it has ever begun.
    pub begun: bool,
    /// Whether turns may begin, as far as its windows are concerned.
    pub window_open: bool,
    /// Whether it stands still after a halt.
    pub halted: bool,
    /// How it is over, if it is.
    pub ended: Option<RolloutEnd>,
    /// Its last event.
    pub last: Option<(u64, Timestamp)>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            target: None,
            waves: Vec::new(),
            clusters: BTreeMap::new(),
            begun: false,
            // Nothing is written while the windows are as they are at the beginning: open.
            window_open: true,
            halted: false,
            ended: None,
            last: None,
        }
    }
}

impl Standing {
    /// How a rollout with this journal stands.
    pub fn of(records: &[Record]) -> Self {
        let mut standing = Self::default();
        records.iter().for_each(|record| standing.take(record));
        standing
    }

    /// How many clusters stand so.
    pub fn count(&self, stands: ClusterStands) -> usize {
        self.clusters.values().filter(|other| **other == stands).count()
    }

    /// How many clusters are still to be settled.
    pub fn unfinished(&self) -> usize {
        self.count(ClusterStands::Waiting) + self.count(ClusterStands::InFlight)
    }

    /// The next event.
    pub fn take(&mut self, record: &Record) {
        self.last = Some((record.seq, record.at));
        match &record.event {
            Event::Applied { spec, waves, .. } => {
                let before = std::mem::take(&mut self.clusters);
                let stands = |cluster| before.get(cluster).copied().unwrap_or(ClusterStands::Waiting);
                let all = waves.iter().flatten();
                self.clusters = all.map(|cluster| (cluster.clone(), stands(cluster))).collect();
                self.waves = spec.waves.iter().map(|wave| wave.name.clone()).collect();
                self.target = Some(spec.target);
                self.ended = None;
            }
            Event::WaveBegun { .. } => self.begun = true,
            Event::Starting { cluster, .. } => self.set(cluster, ClusterStands::InFlight),
            Event::Settled { cluster, outcome, .. } => self.set(cluster, stands(outcome)),
            Event::TakenUp { cluster, .. } => self.set(cluster, ClusterStands::Waiting),
            Event::WindowClosed { .. } => self.window_open = false,
            Event::WindowOpened { .. } => self.window_open = true,
            Event::Halted(_) => self.halted = true,
            Event::Resumed => self.halted = false,
            Event::Ended(end) => self.ended = Some(*end),
            Event::ApprovalWanted { .. }
            | Event::SoakBegun { .. }
            | Event::Unhealthy { .. }
            | Event::Recovered { .. }
            | Event::Soaked { .. }
            | Event::Requested { .. }
            | Event::Refused { .. }
            | Event::Paused => {}
        }
    }

    fn set(&mut self, cluster: &ClusterName, stands: ClusterStands) {
        self.clusters.insert(cluster.clone(), stands);
    }
}

fn stands(outcome: &Outcome) -> ClusterStands {
    match outcome {
        Outcome::Upgraded => ClusterStands::Upgraded,
        Outcome::NothingToDo { .. } => ClusterStands::NothingToDo,
        Outcome::Failed(_) => ClusterStands::Failed,
    }
}
