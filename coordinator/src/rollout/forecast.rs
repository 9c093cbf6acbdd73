//! The calendar of a rollout: its rules, played through with turns that last as long as they are expected to.

mod queue;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};
use proto::ClusterName;

use super::calendar::fits;
use super::{Measured, Partners, Selection, Spec, turn_takes};
use queue::Queue;

/// How far is looked ahead.
const AHEAD_DAYS: i64 = 366;

/// When a cluster is expected to be in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastRow {
    /// Its wave, counted from 0.
    pub wave: usize,
    /// The cluster.
    pub cluster: ClusterName,
    /// When its first turn begins.
    pub begins: Timestamp,
    /// When its last turn ends.
    pub ends: Timestamp,
    /// How many windows its turns need.
    pub windows_used: usize,
}

/// When each cluster is expected to be in flight, if nothing fails and approvals come at once: by wave, then by beginning.
/// A cluster that does not get through within a year has no row. `nodes` says how many turns each needs; 1 if it does not.
pub fn forecast(
    spec: &Spec,
    selection: &Selection,
    nodes: &BTreeMap<ClusterName, usize>,
    measured: &Measured,
    partners: &Partners,
    now: Timestamp,
) -> Vec<ForecastRow> {
    let horizon = now.checked_add((AHEAD_DAYS * 24).hours()).unwrap_or(Timestamp::MAX);
    let windows = Openings::new(spec.windows.openings(now, horizon));
    let mut rows = Vec::new();
    let mut begins = Some(now);
    for (index, clusters) in selection.waves.iter().enumerate() {
        let (Some(start), Some(wave)) = (begins, spec.waves.get(index)) else { break };
        let turns = |cluster: &ClusterName| Turns {
            takes: turn_takes(spec, cluster, measured).0,
            count: nodes.get(cluster).copied().unwrap_or(1),
        };
        let at_once = wave.at_once.min(spec.at_once);
        let queue = Queue::new(clusters.iter().map(|cluster| (cluster, turns(cluster))), partners, at_once);
        let of_wave = queue.play(&windows, start);
        begins = end_of_wave(&of_wave, clusters.len(), start, wave.soak);
        rows.extend(of_wave.into_iter().map(|stay| stay.row(index)));
    }
    rows
}

/// When the next wave begins; `None` if this one does not get through.
fn end_of_wave(stays: &[Stay<'_>], clusters: usize, start: Timestamp, soak: Duration) -> Option<Timestamp> {
    if stays.len() < clusters {
        return None;
    }
    let end = stays.iter().map(|stay| stay.ends).max().unwrap_or(start);
    let soak = if stays.iter().any(|stay| stay.ends > stay.begins) { soak } else { Duration::ZERO };
    end.checked_add(SignedDuration::try_from(soak).ok()?).ok()
}

/// The turns of a cluster.
#[derive(Clone, Copy, Debug)]
struct Turns {
    takes: Duration,
    count: usize,
}

/// A cluster in flight.
struct Stay<'a> {
    cluster: &'a ClusterName,
    begins: Timestamp,
    ends: Timestamp,
    windows: usize,
}

impl Stay<'_> {
    fn row(self, wave: usize) -> ForecastRow {
        let Self { cluster, begins, ends, windows } = self;
        ForecastRow { wave, cluster: cluster.clone(), begins, ends, windows_used: windows }
    }
}

/// Open windows in order.
struct Openings(Vec<(Timestamp, Timestamp)>);

impl Openings {
    fn new(spans: Vec<(Timestamp, Timestamp)>) -> Self {
        Self(spans)
    }

    /// The first moment, from this one on, at which a turn that takes so long may begin, and the window it is in.
    fn next(&self, from: Timestamp, takes: Duration) -> Option<(Timestamp, usize)> {
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let rest = self.0.get(first..)?.iter().enumerate();
        let mut fitting = rest.map(|(index, (start, end))| ((*start).max(from), first + index, *end));
        fitting.find(|(start, _, end)| fits(*start, takes, *end)).map(|(start, index, _)| (start, index))
    }

    /// From where to where a cluster's turns reach that may begin at this moment, and how many windows they need.
    fn stay(&self, from: Timestamp, turns: Turns) -> Option<(Timestamp, usize)> {
        let takes = SignedDuration::try_from(turns.takes).ok()?;
        let (mut end, mut used) = (from, BTreeSet::new());
        for _ in 0..turns.count {
            let (start, window) = self.next(end, turns.takes)?;
            used.insert(window);
            end = start.checked_add(takes).ok()?;
        }
        Some((end, used.len()))
    }
}

#[cfg(test)]
mod tests;
