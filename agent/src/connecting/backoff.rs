//! How long to wait before the next try: "full jitter", so that agents that lose their coordinator together do not come
//! back together.

use std::time::Duration;

/// The most that is waited before the first new try.
const FIRST: Duration = Duration::from_millis(100);
/// The most that is ever waited.
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses whose upper bound doubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backoff {
    bound: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { bound: FIRST }
    }
}

impl Backoff {
    /// The next pause: anything below the bound, as a number from 0 to 1 says.
    pub(super) fn pause(&mut self, random: f64) -> Duration {
        let pause = self.bound.mul_f64(random.clamp(0.0, 1.0));
        self.bound = (self.bound * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let mut backoff = Backoff::default();
        let bounds: Vec<u128> = (0..12).map(|_| backoff.pause(1.0).as_millis()).collect();
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000];
        assert_eq!(bounds, expected);
        assert_eq!(Backoff::default().pause(0.0), Duration::ZERO);
    }

    /// Of ten thousand agents that come back at the longest pause, no second sees many more than its share.
    #[test]
    fn a_storm_is_spread_over_the_whole_pause() {
        let mut seconds = [0_u32; 30];
        for agent in 0..10_000_u32 {
            let mut backoff = Backoff { bound: LONGEST };
            // Equidistributed, so that the test is the same each time.
            let random = f64::from(agent) * 0.618_033_988_749_895 % 1.0;
            let second = backoff.pause(random).as_secs();
            seconds[usize::try_from(second.min(29)).unwrap()] += 1;
        }
        let share = 10_000 / 30;
        assert!(seconds.iter().all(|count| (share - 20..=share + 20).contains(count)), "{seconds:?}");
    }
}
