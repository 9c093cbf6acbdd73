//! Hashes that are the same in every process and on every thread: 64 bits for a state, and for a run.

use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Folded multiplication: fast on the many small fields of a state, and well mixed.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(u64);

/// Tables with this hash.
pub type Hashed = BuildHasherDefault<Fingerprint>;

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const START: u64 = 0x243f_6a88_85a3_08d3;

impl Default for Fingerprint {
    fn default() -> Self {
        Self(START)
    }
}

impl Fingerprint {
    /// The fingerprint of a value.
    pub fn of(value: &impl Hash) -> u64 {
        let mut hasher = Self::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    /// The fingerprint of what a value prints, for values that have no hash.
    pub fn of_text(value: &impl fmt::Debug) -> u64 {
        let mut hasher = Self::default();
        // Writing into a hasher cannot fail.
        let _never_fails = fmt::write(&mut hasher, format_args!("{value:?}"));
        hasher.finish()
    }

    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(29) ^ self.0.rotate_left(11);
    }
}

impl fmt::Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word) ^ ((chunk.len() as u64) << 56));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.mix(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        let mut last = *self;
        last.mix(FACTOR);
        last.0
    }
}
