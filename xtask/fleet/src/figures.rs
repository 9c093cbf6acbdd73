//! Figures of a benchmark: a table for people, and the same as JSON below `target/bench/`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// The same of the peer in the same run, where there is one.
    pub peer: Option<f64>,
    /// What it must not be worse than, where that was promised.
    pub limit: Option<f64>,
}

/// The figures of one benchmark.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Its name.
    pub bench: &'static str,
    /// On what, for people.
    pub setting: String,
    /// The figures.
    pub figures: Vec<Figure>,
}

impl Figures {
    /// No figures yet.
    pub fn of(bench: &'static str, setting: impl Into<String>) -> Self {
        Self { bench, setting: setting.into(), figures: Vec::new() }
    }

    /// Adds one.
    pub fn add(&mut self, what: impl Into<String>, value: f64, unit: &'static str) -> &mut Figure {
        let index = self.figures.len();
        self.figures.push(Figure { what: what.into(), value, unit, peer: None, limit: None });
        &mut self.figures[index]
    }

    /// Prints the table and writes the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn tell(&self) -> Result<()> {
        println!("{}: {}", self.bench, self.setting);
        self.figures.iter().for_each(Figure::print);
        let file = file(self.bench)?;
        fs::write(&file, serde_json::to_string_pretty(self)?)?;
        println!("  written to {}", file.display());
        Ok(())
    }
}

impl Figure {
    /// With what its peer needed for the same.
    pub fn beside(&mut self, peer: f64) -> &mut Self {
        self.peer = Some(peer);
        self
    }

    /// With what was promised.
    pub fn at_most(&mut self, limit: f64) -> &mut Self {
        self.limit = Some(limit);
        self
    }

    /// Of the peer, how many times as much.
    pub fn ratio(&self) -> Option<f64> {
        self.peer.map(|peer| self.value / peer)
    }

    fn print(&self) {
        let Self { what, value, unit, .. } = self;
        let peer = self.peer.zip(self.ratio());
        let peer = peer.map(|(peer, ratio)| format!("   peer {peer:>9.2}   ratio {ratio:>6.2}"));
        let limit = self.limit.map(|limit| format!("   limit {limit}"));
        println!(
            "  {what:<58} {value:>10.2} {unit:<9}{}{}",
            peer.unwrap_or_default(),
            limit.unwrap_or_default()
        );
    }
}

/// `target/bench/<name>.json`, beside the profile that the benchmark was built with.
fn file(bench: &str) -> Result<PathBuf> {
    let running = std::env::current_exe()?;
    let target = running.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == "target"));
    let directory = target.context("the benchmark is not below `target`")?.join("bench");
    fs::create_dir_all(&directory)?;
    Ok(directory.join(format!("{bench}.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_a_ratio_where_it_has_a_peer() {
        let mut figures = Figures::of("x", "nothing");
        assert_eq!(figures.add("alone", 1.0, "s").ratio(), None);
        assert_eq!(figures.add("beside", 3.0, "s").beside(2.0).at_most(4.0).ratio(), Some(1.5));
    }
}
