//! One reader of foreign bytes, with what is known of what it reads.

/// A reader, and what must hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is its file's.
    pub name: &'static str,
    /// Reads these bytes, and panics if something does not hold.
    pub run: fn(&[u8]),
    /// What mutations start from: real inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of what it reads, for mutations to put in.
    pub words: &'static [&'static str],
    /// The longest input that is tried, in bytes.
    pub longest: usize,
    /// How many mutations the short run tries.
    pub short_runs: usize,
}

impl Target {
    /// A reader and its seeds; the rest is as it is for most.
    pub(crate) const fn new(run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Self {
        Self { name: "", run, seeds, words: &[], longest: 16 * 1024, short_runs: 2000 }
    }

    pub(crate) const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    pub(crate) const fn longest(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// For a target that takes milliseconds for one input.
    pub(crate) const fn short_runs(self, short_runs: usize) -> Self {
        Self { short_runs, ..self }
    }

    pub(crate) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The words as a dictionary of libFuzzer: one in a line, in double quotes.
    pub fn dictionary(&self) -> String {
        let quoted = |byte: u8| match byte {
            b'"' | b'\\' => format!("\\{}", byte as char),
            b' '..=b'~' => (byte as char).to_string(),
            other => format!("\\x{other:02x}"),
        };
        let line = |word: &&str| format!("\"{}\"\n", word.bytes().map(quoted).collect::<String>());
        self.words.iter().map(line).collect()
    }
}
