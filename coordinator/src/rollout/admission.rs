//! Whether a turn may begin now.

use std::time::Duration;

use jiff::Timestamp;
use proto::ClusterName;

use super::{Measured, NotNow, Spec};
use crate::run::Admitted;

/// Turns that are needed before their 95th percentile says anything.
const ENOUGH: usize = 5;

/// Whether a turn of a run of this rollout may begin on the cluster now: not while the fleet is halted, and not if it
/// would not be over before the window closes.
pub fn admission(
    spec: &Spec,
    cluster: &ClusterName,
    measured: &Measured,
    fleet_halt: Option<&str>,
    now: Timestamp,
) -> Admitted {
    if let Some(why) = fleet_halt {
        return Admitted::NotNow { why: format!("the fleet is halted: {why}"), opens_at: None };
    }
    let (takes, source) = turn_takes(spec, cluster, measured);
    match spec.windows.admit(now, takes) {
        Ok(()) => Admitted::Yes,
        Err(NotNow { why, opens_at }) => Admitted::NotNow { why: format!("{why} ({source})"), opens_at },
    }
}

/// How long a turn of the cluster is taken to last, and where that is from: its own measured turns, else the fleet's, else
/// the file's estimate.
pub fn turn_takes(spec: &Spec, cluster: &ClusterName, measured: &Measured) -> (Duration, &'static str) {
    match (measured.of_cluster.get(cluster), measured.of_fleet) {
        (Some(own), _) => (*own, "as measured on this cluster"),
        (None, Some(fleet)) => (fleet, "as measured on the fleet"),
        (None, None) => (spec.turn_estimate, "the file's `turn_estimate`"),
    }
}

/// The 95th percentile: at most one in twenty took longer. `None` of fewer than five.
pub fn p95(mut durations: Vec<Duration>) -> Option<Duration> {
    if durations.len() < ENOUGH {
        return None;
    }
    durations.sort_unstable();
    let rank = (durations.len() * 95).div_ceil(100);
    durations.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_95th_percentile_needs_five_and_is_never_too_short() {
        let seconds = |count: u64| p95((1..=count).rev().map(Duration::from_secs).collect());
        assert_eq!(seconds(4), None);
        assert_eq!(seconds(5), Some(Duration::from_secs(5)));
        assert_eq!(seconds(20), Some(Duration::from_secs(19)));
        assert_eq!(seconds(100), Some(Duration::from_secs(95)));
    }
}
