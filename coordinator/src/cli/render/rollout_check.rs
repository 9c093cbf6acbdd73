//! `rollout check`: the calendar.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::rollout::window;
use super::style::{bullet, caution, command, heading};
use super::table::{cell, table};
use super::units::{duration, moment, printable};
use crate::documents::{CheckedClusterRow, CheckedWaveRow, RolloutCheckDocument, RolloutFindingRow};

/// Up to so many clusters of a wave are listed; of more, the first and the last.
const LISTED: usize = 20;

/// What a rollout would do, and when.
pub fn rollout_check(document: &RolloutCheckDocument, zone: &TimeZone) -> String {
    let clusters: usize = document.waves.iter().map(|wave| wave.clusters.len()).sum();
    let (name, target) = (heading(&printable(&document.name)), &document.target);
    let (clusters, waves) = (counted(clusters, "cluster"), counted(document.waves.len(), "wave"));
    let mut out = format!("{name} · to {target} · {clusters} in {waves}\n");
    if document.exists {
        out.push_str("  there is such a rollout already: `apply` changes it or goes on with it\n");
    }
    out.push_str(&format!("  {:<16} {}\n", "window", window(&document.window, zone)));
    for opening in &document.openings {
        let (from, until) = (moment(opening.from, zone), moment(opening.until, zone));
        out.push_str(&format!("  {:<16} {from} – {until}\n", ""));
    }
    let ends = document.ends.map_or_else(|| "not within a year".to_owned(), |at| moment(at, zone));
    out.push_str(&format!("  {:<16} {ends}, going by how long turns last\n", "would end"));
    document.waves.iter().for_each(|row| out.push_str(&wave(row, zone)));
    out.push_str(&partners(document));
    out.push_str(&untouched(&document.unselected));
    out.push_str(&findings(&document.findings));
    out
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn wave(wave: &CheckedWaveRow, zone: &TimeZone) -> String {
    let mut about = counted(wave.clusters.len(), "cluster");
    if wave.approval {
        about.push_str(", after approval");
    }
    if wave.soak_seconds > 0 {
        about.push_str(&format!(", then watched for {}", duration(wave.soak_seconds)));
    }
    let all = wave.clusters.len() <= LISTED;
    let shown =
        |(at, _): &(usize, &CheckedClusterRow)| all || *at + 1 < LISTED || *at + 1 == wave.clusters.len();
    let rows = wave.clusters.iter().enumerate().filter(shown).map(|(_, row)| cluster(row, zone));
    let listed = table(&["CLUSTER", "BEGINS", "ENDS", "TURNS", "A TURN TAKES"], rows.collect());
    let more = wave.clusters.len().saturating_sub(LISTED);
    let rest = if more == 0 { String::new() } else { format!("and {more} more in between\n") };
    format!("\n{} · {about}\n{listed}{rest}", heading(&printable(&wave.name)))
}

fn cluster(row: &CheckedClusterRow, zone: &TimeZone) -> Vec<Cell> {
    let at = |at: Option<jiff::Timestamp>| at.map(|at| moment(at, zone));
    vec![
        cell(Some(&row.name)),
        cell(at(row.begins).as_deref()),
        cell(at(row.ends).as_deref()),
        cell(Some(&row.turns.to_string())),
        cell(Some(&format!("{} ({})", duration(row.turn_seconds), row.measured))),
    ]
}

fn partners(document: &RolloutCheckDocument) -> String {
    let pair = |row: &crate::documents::PartnersRow| {
        bullet("↔", &printable(&format!("{} and {} are never in flight together", row.one, row.other)))
    };
    let mut out: String = document.partners.iter().map(pair).collect();
    if !document.unclear.is_empty() {
        let text = format!(
            "whether these replicate, or with whom, cannot be told, so they are taken one at a time: {}. Where agents cannot \
             tell, `partners` in the file does, also `partners = []`",
            document.unclear.join(", ")
        );
        out.push_str(&bullet(&caution("!"), &printable(&text)));
    }
    if out.is_empty() { out } else { format!("\n{}\n{out}", heading("Partners")) }
}

fn untouched(unselected: &[String]) -> String {
    if unselected.is_empty() {
        return String::new();
    }
    let shown: Vec<&str> = unselected.iter().take(LISTED).map(String::as_str).collect();
    let more = unselected.len().saturating_sub(LISTED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("\nNot touched: {}{rest}\n", printable(&shown.join(", ")))
}

fn findings(findings: &[RolloutFindingRow]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let line = |row: &RolloutFindingRow| {
        let about = row.cluster.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let saw = bullet(&caution("!"), &printable(&format!("{about}{} [{}]", row.saw, row.id)));
        format!("{saw}{}", bullet(" ", &command(&printable(&row.remedy))))
    };
    let lines: String = findings.iter().map(line).collect();
    format!("\n{}\n{lines}", heading("To be looked at first"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn the_calendar_can_be_read() {
        let text = rollout_check(&sample::rollout_check(), &TimeZone::UTC);
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
        q4-7-22 · to 7.22.0-95 · 3 clusters in 2 waves
          window           open until 2026-11-22 04:00:00 UTC (Europe/Berlin)
                           2026-11-22 02:00:00 UTC – 2026-11-22 04:00:00 UTC
          would end        2026-11-24 04:15:00 UTC, going by how long turns last

        canary · 1 cluster, then watched for 30m 0s
        CLUSTER      BEGINS                   ENDS                     TURNS  A TURN TAKES
        orders-test  2026-11-22 02:00:00 UTC  2026-11-22 04:15:00 UTC  3      45m 0s (the file's estimate)

        prod · 2 clusters, after approval, then watched for 30m 0s
        CLUSTER    BEGINS                   ENDS                     TURNS  A TURN TAKES
        orders-eu  2026-11-23 02:00:00 UTC  2026-11-23 04:15:00 UTC  3      45m 0s (the file's estimate)
        orders-us  2026-11-24 02:00:00 UTC  2026-11-24 04:15:00 UTC  3      45m 0s (the file's estimate)

        Partners
          ↔ orders-eu and orders-us are never in flight together
          ! whether these replicate, or with whom, cannot be told, so they are taken one at a time: orders-test. Where agents cannot tell, `partners` in the file does, also `partners = []`

        Not touched: billing

        To be looked at first
          ! there is no package of 7.22.0-95 in the catalogue [no-package]
            ratchet package add FILE_OR_URL
        ");
    }
}
