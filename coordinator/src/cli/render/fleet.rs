//! `leader`, `halt` and `inventory`: the fleet as a whole.

use comfy_table::{Cell, Color};
use jiff::tz::TimeZone;

use super::style::{bad, bullet, caution, command, good, heading};
use super::table::{cell, table};
use super::units::moment;
use crate::documents::{FleetHaltRow, HaltDocument, InventoryClusterRow, InventoryDocument, LeaderDocument};

/// Who leads, and who answers.
pub fn leader(document: &LeaderDocument, zone: &TimeZone) -> String {
    let mut out = match &document.holder {
        Some(holder) => format!("{} leads\n", heading(holder)),
        None => format!("{}\n", bad("nobody leads")),
    };
    let mut line = |label: &str, text: String| out.push_str(&format!("  {label:<12} {text}\n"));
    if let Some(epoch) = document.epoch {
        line("epoch", epoch.to_string());
    }
    if let Some(since) = document.since {
        line("since", moment(since, zone));
    }
    if document.holder.is_some() {
        let nobody = "nobody but its own process".to_owned();
        line("answers", document.address.clone().unwrap_or(nobody));
    }
    line("asked", document.answered_by.clone());
    for row in &document.coordinators {
        let stands = match (row.leads, &row.error) {
            (Some(true), _) => good("leads"),
            (Some(false), _) => "stands by".to_owned(),
            (None, Some(error)) => bad(&super::printable(&error.message)),
            (None, None) => bad("does not answer"),
        };
        out.push_str(&bullet("•", &format!("{}: {stands}", row.address)));
    }
    out
}

/// The halt of the fleet in one line; nothing if there is none.
pub(super) fn halted(halt: Option<&FleetHaltRow>) -> String {
    halt.map_or_else(String::new, |halt| {
        let (by, why) = (super::printable(&halt.by), super::printable(&halt.why));
        format!(
            "{} by {by}: {why}\n  lift it: {}\n",
            bad("the fleet is halted"),
            command("ratchet halt --lift")
        )
    })
}

/// What came of a halt, or of lifting it.
pub fn halt(document: &HaltDocument, zone: &TimeZone) -> String {
    let mut out = match &document.halt {
        Some(halt) => format!("{}  since {}\n", halted(Some(halt)), moment(halt.at, zone)),
        None => format!("{}\n", good("the fleet is not halted")),
    };
    out.push_str(&format!("  {} agents know it\n", document.told));
    for row in &document.untold {
        let error = super::printable(&row.error.message);
        out.push_str(&bullet(&bad("✗"), &format!("{} {}: {error}", row.cluster, row.agent)));
    }
    if !document.untold.is_empty() {
        let text = "these could not be told; a coordinator that serves tells them as soon as they answer";
        out.push_str(&bullet(&caution("!"), text));
    }
    for row in &document.runs {
        out.push_str(&bullet("•", &format!("run {} of {}: {}", row.run, row.cluster, row.state)));
        if let Some(next) = &row.command {
            out.push_str(&format!("      {}\n", command(next)));
        }
    }
    out
}

/// Every cluster as it was seen last.
pub fn inventory(document: &InventoryDocument, zone: &TimeZone) -> String {
    let mut out = halted(document.fleet_halt.as_ref());
    if document.clusters.is_empty() {
        out.push_str("no cluster is configured; add a [[cluster]] to the configuration\n");
    } else {
        let header = ["CLUSTER", "HEALTH", "VERSION", "MASTER", "NODES", "RUN", "SEEN"];
        out.push_str(&table(&header, document.clusters.iter().map(row).collect()));
    }
    for cluster in &document.clusters {
        for problem in &cluster.problems {
            let text = format!("{}: {}", cluster.name, super::printable(problem));
            out.push_str(&bullet(&bad("✗"), &text));
        }
    }
    for agent in &document.unassigned {
        let now = if agent.connected { "connected" } else { "not connected" };
        let (name, first) = (super::printable(&agent.agent), moment(agent.first_seen, zone));
        let text = format!("agent {name} belongs to no cluster: {}; {now}, first seen {first}", agent.reason);
        out.push_str(&bullet(&caution("!"), &text));
    }
    out
}

fn row(cluster: &InventoryClusterRow) -> Vec<Cell> {
    let health = match cluster.healthy {
        Some(true) if cluster.halted => Cell::new("healthy, halted").fg(Color::Yellow),
        Some(true) => Cell::new("healthy").fg(Color::Green),
        Some(false) => Cell::new("not healthy").fg(Color::Red),
        None => Cell::new("not seen yet").fg(Color::Yellow),
    };
    vec![
        cell(Some(&cluster.name)),
        health,
        cell(cluster.version.as_deref()),
        cell(cluster.master.map(|uid| uid.to_string()).as_deref()),
        cell(Some(&format!("{}/{}", cluster.reachable, cluster.nodes))),
        cell(cluster.run.as_deref()),
        cell(cluster.age_seconds.map(|age| format!("{age} s ago")).as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    fn text(coloured: String) -> String {
        anstream::adapter::strip_str(&coloured).to_string()
    }

    #[test]
    fn who_leads_and_who_answers_is_told() {
        insta::assert_snapshot!(text(leader(&sample::leader(), &TimeZone::UTC)), @r"
        ratchet@ops1 (process 7) leads
          epoch        12
          since        2026-11-22 02:00:00 UTC
          answers      ops1:7444
          asked        ratchet@ops2 (process 4)
          • ops1:7444: leads
          • ops2:7444: stands by
          • ops3:7444: the call was not answered
        ");
    }

    #[test]
    fn nobody_is_told_that_all_is_well_when_agents_could_not_be_told() {
        insta::assert_snapshot!(text(halt(&sample::fleet_halt(), &TimeZone::UTC)), @r"
        the fleet is halted by alice@ops1: the network is being moved
          lift it: ratchet halt --lift
          since 2026-11-22 02:01:00 UTC
          5 agents know it
          ✗ orders 10.0.0.3:7443: agent 10.0.0.3:7443 cannot be reached
          ! these could not be told; a coordinator that serves tells them as soon as they answer
          • run orders-1 of orders: pausing
          • run billing-1 of orders: paused
              ratchet resume billing-1
        ");
    }

    #[test]
    fn a_cluster_that_was_not_seen_is_never_healthy() {
        insta::assert_snapshot!(text(inventory(&sample::inventory(), &TimeZone::UTC)), @r"
        the fleet is halted by alice@ops1: the network is being moved
          lift it: ratchet halt --lift
        CLUSTER  HEALTH           VERSION   MASTER  NODES  RUN        SEEN
        orders   healthy, halted  7.4.6-22  1       3/3    -          11 s ago
        billing  not healthy      -         -       2/3    billing-1  11 s ago
        users    not seen yet     -         -       0/3    -          -
          ✗ billing: node:2: status is DOWN
          ! agent rs7 belongs to no cluster: no `connecting` in ratchet.toml fits its name; connected, first seen 2026-11-22 02:00:40 UTC
        ");
    }
}
