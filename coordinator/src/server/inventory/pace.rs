//! How soon a cluster is looked at again. Pure.

use std::time::Duration;

use crate::config::InventoryConfig;

/// How far a cluster that is quiet for long is backed off, as a multiple of `every`.
const FARTHEST: u32 = 5;

/// After how many quiet looks one more `every` is added.
const STEP: u32 = 10;

/// After so many quiet looks: `fast` at first, twice as long after each until `every` is reached, and then, very slowly,
/// up to five times that: whoever watches a cluster after an upgrade sees it at least as often as `every` says.
pub(super) fn pause(config: &InventoryConfig, quiet: u32) -> Duration {
    let doubled = config.fast.saturating_mul(2_u32.saturating_pow(quiet));
    if doubled < config.every {
        return doubled;
    }
    config.every.saturating_mul(FARTHEST.min(1 + quiet / STEP)).max(config.fast)
}

/// A pause that differs by up to a fifth, so that a fleet that was started at once is not looked at all at once.
pub(super) fn jittered(pause: Duration, random: f64) -> Duration {
    pause.mul_f64(0.8 + 0.4 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: InventoryConfig =
        InventoryConfig { fast: Duration::from_secs(10), every: Duration::from_secs(60), at_once: 64 };

    #[test]
    fn a_quiet_cluster_is_backed_off_slowly_and_never_farther_than_five_times() {
        let pauses: Vec<u64> =
            [0, 1, 2, 3, 9, 10, 20, 40, 400, u32::MAX].map(|quiet| pause(&CONFIG, quiet).as_secs()).to_vec();
        assert_eq!(pauses, [10, 20, 40, 60, 60, 120, 180, 300, 300, 300]);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let minute = Duration::from_secs(60);
        assert_eq!([0.0, 0.5, 1.0].map(|random| jittered(minute, random).as_secs()), [48, 60, 72]);
    }
}
