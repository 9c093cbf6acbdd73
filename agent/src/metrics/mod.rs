//! What `/metrics` of an agent tells. A value of its own for each agent; there is no global registry.

mod http;

use std::collections::BTreeMap;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};
use proto::{Epoch, StepKind, StepOutcome};

pub use http::{listen, tell};

/// Labels with their values, all out of closed lists.
type Labels<const N: usize> = [(&'static str, String); N];

/// Steps last from seconds to hours.
const BUCKETS: [f64; 12] = [1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 7200.0];

/// Every metric: its name as it is asked for, its kind, its labels and what it says. `docs/metrics.md` lists them.
pub const ALL: [(&str, &str, &str, &str); 8] = [
    ("ratchet_agent_steps_total", "counter", "kind, outcome", "Steps that ended since the agent started"),
    (
        "ratchet_agent_step_seconds",
        "histogram",
        "kind",
        "How long this agent was at work on steps that ended",
    ),
    ("ratchet_agent_step_running", "gauge", "kind", "Steps at work now"),
    ("ratchet_agent_claimed", "gauge", "", "Whether a run holds this node: 1 or 0"),
    ("ratchet_agent_epoch", "gauge", "", "The highest fencing number that was ever obeyed"),
    ("ratchet_agent_halted", "gauge", "", "Whether a halt keeps installations off this node: 1 or 0"),
    (
        "ratchet_agent_certificate_expiry_seconds",
        "gauge",
        "file",
        "When the first certificate of the file named in [tls] expires, in Unix time; absent if it cannot be read",
    ),
    ("ratchet_agent_build_info", "info", "version", "The version of the program"),
];

/// All metrics of one agent.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    steps: Family<Labels<2>, Counter>,
    step_seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
    step_running: Family<Labels<1>, Gauge>,
    claimed: Gauge,
    epoch: Gauge,
    /// A family, so that nothing is told before somebody has said how it is.
    halted: Family<Labels<0>, Gauge>,
    certificates: Family<Labels<1>, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            steps: Family::default(),
            step_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            step_running: Family::default(),
            claimed: Gauge::default(),
            epoch: Gauge::default(),
            halted: Family::default(),
            certificates: Family::default(),
        };
        metrics.register();
        metrics
    }
}

/// The words come from the list, which is also what is documented.
fn add(to: &mut Registry, name: &str, metric: impl Metric) {
    let help = ALL.iter().find(|row| row.0.trim_end_matches("_total").trim_end_matches("_info") == name);
    to.register(name, help.map_or("", |row| row.3), metric);
}

fn label(name: &'static str, value: impl ToString) -> Labels<1> {
    [(name, value.to_string())]
}

impl Metrics {
    fn register(&mut self) {
        let to = &mut self.registry;
        add(to, "ratchet_agent_steps", self.steps.clone());
        add(to, "ratchet_agent_step_seconds", self.step_seconds.clone());
        add(to, "ratchet_agent_step_running", self.step_running.clone());
        add(to, "ratchet_agent_claimed", self.claimed.clone());
        add(to, "ratchet_agent_epoch", self.epoch.clone());
        add(to, "ratchet_agent_halted", self.halted.clone());
        add(to, "ratchet_agent_certificate_expiry_seconds", self.certificates.clone());
        add(to, "ratchet_agent_build", Info::new(label("version", env!("CARGO_PKG_VERSION"))));
    }

    /// Everything as OpenMetrics text.
    ///
    /// # Errors
    /// A metric cannot be written down.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map(|()| text)
    }

    /// A step ended that this agent was at work on for so many seconds.
    pub fn step(&self, kind: StepKind, outcome: &StepOutcome, seconds: f64) {
        let word = outcome_word(outcome);
        let kind = ("kind", kind.to_string());
        self.steps.get_or_create(&[kind.clone(), ("outcome", word.to_owned())]).inc();
        self.step_seconds.get_or_create(&[kind]).observe(seconds);
    }

    /// How the node is held, and what is at work on it.
    pub fn held(&self, claimed: bool, epoch: Epoch, running: &BTreeMap<StepKind, i64>) {
        self.claimed.set(i64::from(claimed));
        self.epoch.set(i64::try_from(epoch.0).unwrap_or(i64::MAX));
        for kind in StepKind::ALL {
            let count = running.get(&kind).copied().unwrap_or_default();
            self.step_running.get_or_create(&label("kind", kind)).set(count);
        }
    }

    /// Whether a halt is in force.
    pub fn halted(&self, halted: bool) {
        self.halted.get_or_create(&[]).set(i64::from(halted));
    }

    /// Until when the certificates of a file are valid; `None` if that cannot be told.
    pub fn certificate(&self, file: &'static str, expires: Option<Timestamp>) {
        let labels = label("file", file);
        match expires {
            Some(at) => _ = self.certificates.get_or_create(&labels).set(at.as_second()),
            None => _ = self.certificates.remove(&labels),
        }
    }
}

/// How a step ended, in a word.
pub fn outcome_word(outcome: &StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Completed { .. } => "completed",
        StepOutcome::Failed(_) => "failed",
        StepOutcome::Interrupted(_) => "interrupted",
        StepOutcome::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests;
