//! Small damage to real inputs, the same every time.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Makes mutations of seeds.
#[derive(Debug)]
pub struct Mutator<'a> {
    random: StdRng,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
    longest: usize,
}

impl<'a> Mutator<'a> {
    /// Mutations of these seeds; the same number gives the same ones.
    pub fn new(number: u64, seeds: &'a [Vec<u8>], words: &'a [&'a str], longest: usize) -> Self {
        Self { random: StdRng::seed_from_u64(number), seeds, words, longest }
    }

    /// The next mutation: a seed with one to eight things done to it.
    pub fn mutation(&mut self) -> Vec<u8> {
        let mut bytes = self.seed();
        for _ in 0..self.random.random_range(1..=8) {
            self.damage(&mut bytes);
        }
        bytes.truncate(self.longest);
        bytes
    }

    fn seed(&mut self) -> Vec<u8> {
        match self.seeds {
            [] => Vec::new(),
            seeds => seeds[self.random.random_range(0..seeds.len())].clone(),
        }
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.random_range(0..=bytes.len());
        let end = (at + self.random.random_range(1..64)).min(bytes.len());
        match self.random.random_range(0..9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.random.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = self.random.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            5 => {
                let word = self.word();
                bytes.splice(at..at, word);
            }
            6 => {
                let word = self.word();
                bytes.splice(at..end, word);
            }
            7 => {
                let other = self.seed();
                let from = self.random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => self.lose_line(bytes, at),
        }
    }

    /// A word of the target's, or one that breaks most readers: ends of lines, numbers at the edge, half a character.
    fn word(&mut self) -> Vec<u8> {
        const EVIL: [&[u8]; 12] = [
            b"\n",
            b"\r\n",
            b"\t",
            b"\0",
            b"\xff",
            b"\xc3",
            b"\x1b[",
            b"0",
            b"-1",
            b"4294967296",
            b"18446744073709551616",
            b"1e999",
        ];
        let which = self.random.random_range(0..EVIL.len() + self.words.len());
        match EVIL.get(which) {
            Some(evil) => evil.to_vec(),
            None => self.words[which - EVIL.len()].as_bytes().to_vec(),
        }
    }

    fn lose_line(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
        bytes.drain(start..end);
    }
}
