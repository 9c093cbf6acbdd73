//! Rollouts: one, all, and what happens in them.

use comfy_table::{Cell, Color};
use jiff::tz::TimeZone;

use super::style::{bad, bullet, command, heading};
use super::table::{cell, table};
use super::units::{clock, duration, moment, printable};
use crate::documents::{
    RolloutClusterRow, RolloutClusterState, RolloutDocument, RolloutEventRow, RolloutRow, RolloutState,
    RolloutsDocument, WaveRow, WaveState, WindowRow,
};

/// Up to so many clusters are all listed; of more, those that somebody may have to look at.
const LISTED: usize = 40;

/// A rollout, whole: `rollout status`.
pub fn rollout(document: &RolloutDocument, zone: &TimeZone) -> String {
    let mut out = format!("{}{}", head(&document.brief), rollout_waits(&document.brief, zone));
    out.push_str(&format!("  {:<16} {}\n", "window", window(&document.window, zone)));
    let (failed, budget) = (document.brief.failed, document.failure_budget);
    out.push_str(&format!("  {:<16} {failed} of at most {budget}\n\n", "failures"));
    out.push_str(&waves(&document.waves, zone));
    out.push('\n');
    out.push_str(&clusters(&document.clusters));
    out
}

/// Where a rollout stands, in a few lines.
pub fn rollout_brief(row: &RolloutRow) -> String {
    let mut out = format!("{}  {}\n", head(row), printable(&row.waits_for));
    row.commands.iter().for_each(|next| out.push_str(&bullet("→", &command(&printable(next)))));
    out
}

/// All rollouts: a line each.
pub fn rollouts(document: &RolloutsDocument) -> String {
    if document.rollouts.is_empty() {
        return "there are no rollouts yet\n".to_owned();
    }
    let header = ["ROLLOUT", "TARGET", "STATE", "UPGRADED", "IN FLIGHT", "FAILED", "WAITS FOR"];
    table(&header, document.rollouts.iter().map(row).collect())
}

/// An event in one line: `HH:MM:SS  what happened`.
pub fn rollout_event(event: &RolloutEventRow, zone: &TimeZone) -> String {
    format!("{}  {}", clock(event.at, zone), printable(&event.text))
}

/// What a rollout waits for, until when, who can act and how.
pub fn rollout_waits(row: &RolloutRow, zone: &TimeZone) -> String {
    let mut out = String::new();
    let mut line = |label: &str, text: &str| out.push_str(&format!("  {label:<16} {text}\n"));
    line("waits for", &printable(&row.waits_for));
    line("since", &moment(row.since, zone));
    if let Some(until) = row.until {
        line("until", &moment(until, zone));
    }
    line("who can act", &printable(&row.who));
    row.commands.iter().for_each(|next| line("with", &command(&printable(next))));
    out
}

fn head(row: &RolloutRow) -> String {
    let wave = row.wave.as_ref().map(|wave| format!(" · wave {}", printable(wave))).unwrap_or_default();
    let mut counts = format!("{} of {} clusters upgraded", row.upgraded, row.total);
    for (count, what) in [(row.in_flight, "in flight"), (row.failed, "failed")] {
        if count > 0 {
            counts.push_str(&format!(", {count} {what}"));
        }
    }
    let (name, target, state) = (heading(&row.name), &row.target, word(row.state));
    format!("{name} · to {target} · {state}{wave} · {counts}\n")
}

fn word(state: RolloutState) -> &'static str {
    match state {
        RolloutState::Active => "active",
        RolloutState::Paused => "paused",
        RolloutState::Halted => "halted",
        RolloutState::Done => "done",
        RolloutState::DoneWithFailures => "done, with failures",
        RolloutState::Aborted => "aborted",
    }
}

fn colour(state: RolloutState) -> Color {
    match state {
        RolloutState::Done => Color::Green,
        RolloutState::Active => Color::Cyan,
        RolloutState::Halted | RolloutState::DoneWithFailures => Color::Red,
        RolloutState::Paused | RolloutState::Aborted => Color::Yellow,
    }
}

fn row(row: &RolloutRow) -> Vec<Cell> {
    vec![
        cell(Some(&row.name)),
        cell(Some(&row.target)),
        Cell::new(word(row.state)).fg(colour(row.state)),
        cell(Some(&format!("{}/{}", row.upgraded, row.total))),
        cell(Some(&row.in_flight.to_string())),
        cell(Some(&row.failed.to_string())),
        cell(Some(&row.waits_for)),
    ]
}

/// Whether turns may begin, and until when.
pub(super) fn window(window: &WindowRow, zone: &TimeZone) -> String {
    let named = window.zone.as_deref().map(|zone| format!(" ({})", printable(zone))).unwrap_or_default();
    match (window.open, window.closes_at, window.opens_at) {
        (true, None, _) => format!("open{named}"),
        (true, Some(at), _) => format!("open until {}{named}", moment(at, zone)),
        (false, _, Some(at)) => format!("shut until {}{named}", moment(at, zone)),
        (false, _, None) => format!("shut, and does not open again{named}"),
    }
}

fn waves(waves: &[WaveRow], zone: &TimeZone) -> String {
    let header = ["WAVE", "STATE", "SETTLED", "FAILED", "AT ONCE", "SOAK"];
    table(&header, waves.iter().map(|row| wave(row, zone)).collect())
}

fn wave(wave: &WaveRow, zone: &TimeZone) -> Vec<Cell> {
    let state = match wave.state {
        WaveState::Waiting if wave.approval && !wave.approved => "waiting, needs approval",
        WaveState::Waiting => "waiting",
        WaveState::WantsApproval => "wants approval",
        WaveState::Active => "active",
        WaveState::Soaking => "soaking",
        WaveState::Done => "done",
    };
    let soak = match (wave.soaks_until, wave.soak_seconds) {
        (Some(until), _) => Some(format!("until {}", moment(until, zone))),
        (None, 0) => None,
        (None, seconds) => Some(duration(seconds)),
    };
    vec![
        cell(Some(&wave.name)),
        cell(Some(state)),
        cell(Some(&format!("{}/{}", wave.settled, wave.clusters))),
        cell(Some(&format!("{} of at most {}", wave.failed, wave.failure_budget))),
        cell(Some(&wave.at_once.to_string())),
        cell(soak.as_deref()),
    ]
}

/// Clusters that somebody may have to look at come out of a long list.
fn clusters(clusters: &[RolloutClusterRow]) -> String {
    let of_interest = |row: &&RolloutClusterRow| match row.state {
        RolloutClusterState::InFlight | RolloutClusterState::Failed => true,
        RolloutClusterState::Waiting | RolloutClusterState::Upgraded | RolloutClusterState::NothingToDo => {
            false
        }
    };
    let all = clusters.len() <= LISTED;
    let shown: Vec<&RolloutClusterRow> = clusters.iter().filter(|row| all || of_interest(row)).collect();
    let header = ["CLUSTER", "WAVE", "STATE", "RUN", "RUN STATE"];
    let mut out = table(&header, shown.iter().map(|row| cluster(row)).collect());
    if shown.len() < clusters.len() {
        let more = clusters.len() - shown.len();
        out.push_str(&format!("and {more} more that wait or are upgraded; all of them: -o json\n"));
    }
    for row in shown {
        if let Some(error) = &row.error {
            let cause = error.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
            out.push_str(&bullet(&bad("✗"), &printable(&format!("{}: {}{cause}", row.name, error.message))));
            let remedy = error.remedy.as_deref().map(|remedy| bullet(" ", &command(&printable(remedy))));
            out.push_str(&remedy.unwrap_or_default());
        }
    }
    out
}

fn cluster(row: &RolloutClusterRow) -> Vec<Cell> {
    let state = match row.state {
        RolloutClusterState::Waiting => "waiting",
        RolloutClusterState::InFlight => "in flight",
        RolloutClusterState::Upgraded => "upgraded",
        RolloutClusterState::NothingToDo => "nothing to do",
        RolloutClusterState::Failed => "failed",
    };
    vec![
        cell(Some(&row.name)),
        cell(Some(&row.wave)),
        cell(Some(state)),
        cell(row.run.as_deref()),
        cell(row.run_state.as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_halted_rollout_says_why_and_what_to_do() {
        let text = plain(&rollout(&sample::rollout(RolloutState::Halted, 4), &TimeZone::UTC));
        insta::assert_snapshot!(text, @r"
        q4-7-22 · to 7.22.0-95 · halted · wave prod · 1 of 3 clusters upgraded, 1 in flight, 1 failed
          waits for        the failure of orders-eu goes over the budget of wave `prod`
          since            2026-11-22 02:00:00 UTC
          until            2026-11-22 04:00:00 UTC
          who can act      an operator: see to orders-eu, then go on
          with             ratchet rollout retry q4-7-22
          with             ratchet rollout abort q4-7-22
          window           open until 2026-11-22 04:00:00 UTC (Europe/Berlin)
          failures         1 of at most 2

        WAVE    STATE   SETTLED  FAILED          AT ONCE  SOAK
        canary  done    1/1      0 of at most 0  1        30m 0s
        prod    active  1/2      1 of at most 0  2        30m 0s

        CLUSTER      WAVE    STATE      RUN                               RUN STATE
        orders-test  canary  upgraded   orders-test-20261122-020000-beef  done
        orders-eu    prod    failed     orders-eu-20261122-020000-beef    halted
        orders-us    prod    in flight  orders-us-20261122-020000-beef    paused
          ✗ orders-eu: there is no room: /var has 12.0 MB
            make room
        ");
    }

    #[test]
    fn in_brief_and_in_a_list() {
        let brief = plain(&rollout_brief(&sample::rollout(RolloutState::Halted, 4).brief));
        let text = format!("{brief}\n{}", plain(&rollouts(&sample::rollouts())));
        insta::assert_snapshot!(text, @r"
        q4-7-22 · to 7.22.0-95 · halted · wave prod · 1 of 3 clusters upgraded, 1 in flight, 1 failed
          the failure of orders-eu goes over the budget of wave `prod`
          → ratchet rollout retry q4-7-22
          → ratchet rollout abort q4-7-22

        ROLLOUT  TARGET     STATE   UPGRADED  IN FLIGHT  FAILED  WAITS FOR
        q4-7-22  7.22.0-95  halted  1/3       1          1       the failure of orders-eu goes over the budget of wave `prod`
        ");
    }

    #[test]
    fn of_many_clusters_only_those_of_interest_are_listed() {
        let mut document = sample::rollout(RolloutState::Active, 5);
        let waiting = document.clusters[0].clone();
        document.clusters.extend(std::iter::repeat_n(waiting, 100));
        let text = plain(&rollout(&document, &TimeZone::UTC));
        assert!(text.contains("and 101 more that wait or are upgraded"), "{text}");
        assert!(text.contains("orders-eu") && text.contains("orders-us"), "{text}");
    }
}
