//! What libFuzzer says of a target, out of its own words.

use serde::Serialize;

/// What came of one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// The target.
    pub target: String,
    /// Inputs tried.
    pub runs: u64,
    /// Inputs tried in a second.
    pub runs_per_second: u64,
    /// Edges of the program that were gone through.
    pub edges: u64,
    /// Inputs that each show something of their own.
    pub corpus: u64,
    /// The most memory that the program had, in MiB.
    pub peak_rss_mib: u64,
    /// Files with inputs that crash it, hang it or fill its memory.
    pub findings: Vec<String>,
    /// How it ended, if not well.
    pub ended: Option<String>,
}

impl Figures {
    /// Whether nothing was found, and something was tried.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.ended.is_none() && self.runs > 0
    }

    /// Reads what libFuzzer printed.
    pub fn read(target: &str, printed: &str) -> Self {
        let last = |word: &str| printed.lines().rev().find_map(|line| number_behind(line, word)).unwrap_or(0);
        Self {
            target: target.to_owned(),
            runs: last("stat::number_of_executed_units:"),
            runs_per_second: last("stat::average_exec_per_sec:"),
            edges: last(" cov:"),
            corpus: last(" corp:"),
            peak_rss_mib: last("stat::peak_rss_mb:"),
            findings: Vec::new(),
            ended: None,
        }
    }
}

fn number_behind(line: &str, word: &str) -> Option<u64> {
    let (_, rest) = line.split_once(word)?;
    let rest = rest.trim_start();
    let end = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_silence_is_not_soundness() {
        let printed = "#2\tINITED cov: 70 ft: 80 corp: 1/1b exec/s: 0 rss: 40Mb\n\
            #99\tDONE   cov: 1234 ft: 4000 corp: 56/7890b lim: 4096 exec/s: 33 rss: 77Mb\n\
            stat::number_of_executed_units: 99\nstat::average_exec_per_sec:     33\nstat::peak_rss_mb:              77\n";
        let figures = Figures::read("x", printed);
        let found =
            (figures.runs, figures.runs_per_second, figures.edges, figures.corpus, figures.peak_rss_mib);
        assert_eq!(found, (99, 33, 1234, 56, 77));
        assert!(figures.is_sound());
        assert!(!Figures::read("x", "Segmentation fault\n").is_sound());
        assert!(!Figures { findings: vec!["crash-1".to_owned()], ..figures }.is_sound());
    }
}
