//! Reproducible draws. Everybody who draws has a stream of its own, named after it, so that what one draws does not
//! depend on how often and when another did.

/// A stream of draws: the same seed and name always give the same numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of that name for a seed.
    pub fn of(seed: u64, name: &str) -> Self {
        // FNV-1a: names that differ in one letter start far apart after the first mixing.
        let named = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut stream = Self { state: named ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
        stream.next();
        stream
    }

    /// The next number (SplitMix64).
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` − 1; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number of a range, both ends included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// `true` in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from[index].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_reproducible_and_no_other_s() {
        let draw = |seed, name| {
            let mut stream = Stream::of(seed, name);
            [stream.next(), stream.below(1000), stream.between(3, 9)]
        };
        assert_eq!(draw(7, "link 1"), draw(7, "link 1"));
        assert_ne!(draw(7, "link 1"), draw(7, "link 2"));
        assert_ne!(draw(7, "link 1"), draw(8, "link 1"));
    }
}
