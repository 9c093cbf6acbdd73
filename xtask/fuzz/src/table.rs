//! The figures for people.

use std::fmt::Write as _;

use crate::figures::Figures;

/// A table with a line for each target, then the inputs that break one.
pub fn of(all: &[Figures]) -> String {
    let heads = ["target", "runs", "runs/s", "edges", "corpus", "MiB", "findings"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(all.iter().map(row));
    let sum = |of: fn(&Figures) -> u64| all.iter().map(of).sum::<u64>().to_string();
    let found: usize = all.iter().map(|figures| figures.findings.len()).sum();
    let most = all.iter().map(|figures| figures.peak_rss_mib).max().unwrap_or(0).to_string();
    let (runs, corpus) = (sum(|figures| figures.runs), sum(|figures| figures.corpus));
    rows.push(["all".to_owned(), runs, String::new(), String::new(), corpus, most, found.to_string()]);
    let mut text = String::new();
    for row in &rows {
        line(&mut text, row);
    }
    for figures in all {
        let findings = figures.findings.iter().map(|file| format!("breaks on {file}"));
        for said in findings.chain(figures.ended.clone()) {
            let _written = writeln!(text, "{}: {said}", figures.target);
        }
    }
    text
}

fn row(figures: &Figures) -> [String; 7] {
    let Figures { target, runs, runs_per_second, edges, corpus, peak_rss_mib, findings, ended: _ } = figures;
    [
        target.clone(),
        runs.to_string(),
        runs_per_second.to_string(),
        edges.to_string(),
        corpus.to_string(),
        peak_rss_mib.to_string(),
        findings.len().to_string(),
    ]
}

fn line(text: &mut String, [name, rest @ ..]: &[String; 7]) {
    let rest = rest.iter().fold(String::new(), |line, cell| format!("{line}{cell:>11}"));
    let _written = writeln!(text, "{name:<16}{rest}");
}
