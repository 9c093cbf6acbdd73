//! Every metric of the coordinator: what `docs/metrics.md` lists and what is registered.

use std::fmt;

/// A metric as it is told of.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name, without what its kind adds to it.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// What sort of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows while the program lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How values are spread.
    Histogram,
    /// Always 1; its labels are what it says.
    Info,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        })
    }
}

impl Row {
    /// Its name as it is asked for.
    pub fn exposed(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Info => format!("{}_info", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

const fn row(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Row {
    Row { name, kind, labels, help }
}

/// All of them.
pub const ALL: [Row; 17] = [
    row(
        "ratchet_steps",
        Kind::Counter,
        &["kind", "outcome"],
        "Steps that ended while this process drove their run",
    ),
    row(
        "ratchet_step_seconds",
        Kind::Histogram,
        &["kind"],
        "How long steps took, from their intent to their end",
    ),
    row(
        "ratchet_turn_seconds",
        Kind::Histogram,
        &[],
        "How long turns took, from the passed gate to the witnesses",
    ),
    row(
        "ratchet_run_verdicts",
        Kind::Counter,
        &["verdict"],
        "How runs that this process drove halted or ended",
    ),
    row(
        "ratchet_epoch",
        Kind::Gauge,
        &["cluster"],
        "The fencing number at which this process last drove the cluster",
    ),
    row("ratchet_runs", Kind::Gauge, &["state"], "Runs in the store by where they stand"),
    row("ratchet_leading", Kind::Gauge, &[], "Whether this coordinator leads: 1 or 0"),
    row("ratchet_lead_epoch", Kind::Gauge, &[], "The fencing number at which this coordinator last led"),
    row("ratchet_agents", Kind::Gauge, &["state"], "Agents as the inventory saw them last"),
    row("ratchet_clusters", Kind::Gauge, &["health"], "Clusters as the inventory saw them last"),
    row("ratchet_window_open", Kind::Gauge, &["rollout"], "Whether turns of the rollout may begin: 1 or 0"),
    row(
        "ratchet_rollout_clusters",
        Kind::Gauge,
        &["rollout", "state"],
        "Clusters of a rollout that is not over",
    ),
    row(
        "ratchet_rollout_halted",
        Kind::Gauge,
        &["rollout"],
        "Whether the rollout stands still after a halt: 1 or 0",
    ),
    row(
        "ratchet_certificate_expiry_seconds",
        Kind::Gauge,
        &["file"],
        "When the first certificate of the file named in [tls] expires, in Unix time; absent if it cannot be read",
    ),
    row(
        "ratchet_notices",
        Kind::Counter,
        &["outcome"],
        "Attempts to tell somebody of news, by how they ended",
    ),
    row("ratchet_notices_pending", Kind::Gauge, &[], "Notices that are still to be delivered"),
    row("ratchet_build", Kind::Info, &["version"], "The version of the program"),
];

/// What a metric says; nothing if it is not in the list, which a test does not let pass.
pub(super) fn help(name: &str) -> &'static str {
    ALL.iter().find(|row| row.name == name).map_or("", |row| row.help)
}
