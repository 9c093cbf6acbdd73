//! What `/metrics` tells: counters and histograms out of the journals, gauges that others set. A value that is passed
//! around; there is no global registry.

mod http;
mod journal;
pub mod list;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};
use proto::{Epoch, RolloutName};

pub use http::serve;

use crate::documents::RunState;
use crate::notify::{ClusterStands, Standing};

/// Labels with their values. The values come from closed lists, or from the configuration: there are never many.
type Labels<const N: usize> = [(&'static str, String); N];

/// Steps last from seconds to hours.
const STEP_BUCKETS: [f64; 12] =
    [1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 7200.0];
/// Turns last minutes; an installation may take two hours.
const TURN_BUCKETS: [f64; 11] =
    [60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 2700.0, 3600.0, 5400.0, 7200.0];

/// All metrics of one coordinator.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    steps: Family<Labels<2>, Counter>,
    step_seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
    turn_seconds: Histogram,
    verdicts: Family<Labels<1>, Counter>,
    epochs: Family<Labels<1>, Gauge>,
    runs: Family<Labels<1>, Gauge>,
    leading: Gauge,
    lead_epoch: Gauge,
    agents: Family<Labels<1>, Gauge>,
    clusters: Family<Labels<1>, Gauge>,
    window_open: Family<Labels<1>, Gauge>,
    rollout_clusters: Family<Labels<2>, Gauge>,
    rollout_halted: Family<Labels<1>, Gauge>,
    certificates: Family<Labels<1>, Gauge>,
    notices: Family<Labels<1>, Counter>,
    notices_pending: Gauge,
}

/// How many agents there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentCounts {
    /// They answered.
    pub reachable: usize,
    /// They did not.
    pub unreachable: usize,
    /// They have connected by themselves, and belong to no cluster yet.
    pub unassigned: usize,
}

/// How many clusters there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterCounts {
    /// Nothing is known to be wrong, and everything that counts is known.
    pub healthy: usize,
    /// Something is wrong.
    pub unhealthy: usize,
    /// It cannot be told.
    pub unknown: usize,
}

/// How an attempt to tell somebody of news ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// They have it.
    Delivered,
    /// It is tried again.
    Failed,
    /// It is not tried again.
    GivenUp,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            steps: Family::default(),
            step_seconds: Family::new_with_constructor(|| Histogram::new(STEP_BUCKETS)),
            turn_seconds: Histogram::new(TURN_BUCKETS),
            verdicts: Family::default(),
            epochs: Family::default(),
            runs: Family::default(),
            leading: Gauge::default(),
            lead_epoch: Gauge::default(),
            agents: Family::default(),
            clusters: Family::default(),
            window_open: Family::default(),
            rollout_clusters: Family::default(),
            rollout_halted: Family::default(),
            certificates: Family::default(),
            notices: Family::default(),
            notices_pending: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

/// The words come from the list, which is also what is documented.
fn add(to: &mut Registry, name: &str, metric: impl Metric) {
    to.register(name, list::help(name), metric);
}

fn label(name: &'static str, value: impl ToString) -> Labels<1> {
    [(name, value.to_string())]
}

fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl Metrics {
    fn register(&mut self) {
        let mut registry = Registry::default();
        let to = &mut registry;
        add(to, "ratchet_steps", self.steps.clone());
        add(to, "ratchet_step_seconds", self.step_seconds.clone());
        add(to, "ratchet_turn_seconds", self.turn_seconds.clone());
        add(to, "ratchet_run_verdicts", self.verdicts.clone());
        add(to, "ratchet_epoch", self.epochs.clone());
        add(to, "ratchet_runs", self.runs.clone());
        add(to, "ratchet_leading", self.leading.clone());
        add(to, "ratchet_lead_epoch", self.lead_epoch.clone());
        add(to, "ratchet_agents", self.agents.clone());
        add(to, "ratchet_clusters", self.clusters.clone());
        add(to, "ratchet_window_open", self.window_open.clone());
        add(to, "ratchet_rollout_clusters", self.rollout_clusters.clone());
        add(to, "ratchet_rollout_halted", self.rollout_halted.clone());
        add(to, "ratchet_certificate_expiry_seconds", self.certificates.clone());
        add(to, "ratchet_notices", self.notices.clone());
        add(to, "ratchet_notices_pending", self.notices_pending.clone());
        add(to, "ratchet_build", Info::new(label("version", env!("CARGO_PKG_VERSION"))));
        self.registry = registry;
    }

    /// Everything as OpenMetrics text.
    ///
    /// # Errors
    /// A metric cannot be written down.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map(|()| text)
    }

    /// This coordinator leads at an epoch, or does not lead (any more).
    pub fn leads(&self, epoch: Option<Epoch>) {
        self.leading.set(i64::from(epoch.is_some()));
        if let Some(epoch) = epoch {
            self.lead_epoch.set(whole(epoch.0));
        }
    }

    /// What the inventory saw of the agents.
    pub fn agents(&self, counts: AgentCounts) {
        let AgentCounts { reachable, unreachable, unassigned } = counts;
        for (state, count) in
            [("reachable", reachable), ("unreachable", unreachable), ("unassigned", unassigned)]
        {
            self.agents.get_or_create(&label("state", state)).set(whole(count));
        }
    }

    /// What the inventory saw of the clusters.
    pub fn clusters(&self, counts: ClusterCounts) {
        let ClusterCounts { healthy, unhealthy, unknown } = counts;
        for (health, count) in [("healthy", healthy), ("unhealthy", unhealthy), ("unknown", unknown)] {
            self.clusters.get_or_create(&label("health", health)).set(whole(count));
        }
    }

    /// How the store's runs stand.
    pub fn runs(&self, states: &[RunState]) {
        for state in RunState::ALL {
            let count = states.iter().filter(|other| **other == state).count();
            self.runs.get_or_create(&label("state", state.word())).set(whole(count));
        }
    }

    /// How the rollouts stand; of those that are over, and of any that is not named, nothing is told any more.
    pub fn rollouts(&self, rollouts: &[(RolloutName, Standing)]) {
        self.window_open.clear();
        self.rollout_clusters.clear();
        self.rollout_halted.clear();
        for (name, standing) in rollouts.iter().filter(|(_, standing)| standing.ended.is_none()) {
            let rollout = label("rollout", name);
            self.window_open.get_or_create(&rollout).set(i64::from(standing.window_open));
            self.rollout_halted.get_or_create(&rollout).set(i64::from(standing.halted));
            for state in ClusterStands::ALL {
                let [rollout] = label("rollout", name);
                let labels = [rollout, ("state", state.word().to_owned())];
                self.rollout_clusters.get_or_create(&labels).set(whole(standing.count(state)));
            }
        }
    }

    /// Until when the certificates of a file are valid; `None` if that cannot be told.
    pub fn certificate(&self, file: &'static str, expires: Option<jiff::Timestamp>) {
        let labels = label("file", file);
        match expires {
            Some(at) => _ = self.certificates.get_or_create(&labels).set(at.as_second()),
            None => _ = self.certificates.remove(&labels),
        }
    }

    /// An attempt to tell somebody of news ended.
    pub fn notice(&self, told: Told) {
        let word = match told {
            Told::Delivered => "delivered",
            Told::Failed => "failed",
            Told::GivenUp => "given_up",
        };
        self.notices.get_or_create(&label("outcome", word)).inc();
    }

    /// How many notices are still to be delivered.
    pub fn notices_pending(&self, count: usize) {
        self.notices_pending.set(whole(count));
    }
}

#[cfg(test)]
mod tests;
