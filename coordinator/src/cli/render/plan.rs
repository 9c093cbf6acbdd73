//! A plan: what will be done, in which order, with what, and what cannot be undone.

use comfy_table::Cell;
use proto::{NodeUid, Package};

use super::findings::{findings, in_the_way};
use super::style::{bullet, caution, command, good, heading};
use super::table::{cell, table};
use super::units::duration;
use super::{bytes, printable};
use crate::catalogue::shown_url;
use crate::documents::{ExpectedRow, PlanDocument, PlanOutcome};
use crate::plan::{Plan, PlannedHop, PlannedNode, PlannedSetting, Turn};

/// The answer to `plan` to a version.
pub fn plan_answer(document: &PlanDocument, to: &str) -> String {
    let summary = printable(&document.summary);
    match (document.outcome, &document.plan) {
        (PlanOutcome::Ready, Some(of)) => {
            let digest = document.digest.as_deref().unwrap_or("not known");
            let time = document.expected.as_ref().map_or_else(not_measured, expected);
            format!("{}\n{summary}\n{time}\nplan digest {digest}\n{}", plan(of), judged_by(of))
        }
        (PlanOutcome::NothingToDo, _) => format!("{}: {}\n", document.cluster, good(&summary)),
        (PlanOutcome::Ready | PlanOutcome::Blocked, _) => {
            let lead = super::style::bad("blocked, and nothing was changed");
            let all = format!("ratchet check {} --to {to}", document.cluster);
            format!("{}: {lead}\n{summary}\n{}", document.cluster, in_the_way(&document.findings, &all))
        }
    }
}

/// A plan, whole: somebody will consent to it at night.
pub fn plan(plan: &Plan) -> String {
    let mut out = format!("{}\n", heading(&format!("Upgrade {} to {}", plan.cluster, plan.target)));
    out.push_str(&findings(&plan.findings));
    for (index, of) in plan.hops.iter().enumerate() {
        out.push_str(&hop(index, of, plan));
    }
    out.push_str(&format!("\n{}\n", heading("Packages")));
    plan.packages.iter().for_each(|of| out.push_str(&package(of)));
    if !plan.settings.is_empty() {
        out.push_str(&format!("\n{}\n", heading("Settings during the upgrade")));
        plan.settings.iter().for_each(|of| out.push_str(&setting(of)));
    }
    out.push_str(&format!("\n{}\n", heading("Before you say yes")));
    plan.notes.iter().for_each(|note| out.push_str(&bullet(&caution("!"), &printable(note))));
    out.push_str(&bullet(
        "•",
        "A running install is never cut off; `pause` and Ctrl-C take effect between turns.",
    ));
    out
}

/// The data that it was judged by: `ratchet paths` names the same digest.
fn judged_by(plan: &Plan) -> String {
    let advisories =
        plan.advisories_digest.map(|digest| format!(", advisories {}", digest.short())).unwrap_or_default();
    format!("judged by: table of upgrade paths {}{advisories}\n", plan.table_digest.short())
}

fn expected(row: &ExpectedRow) -> String {
    let whose = if row.of_this_cluster { "this cluster" } else { "other clusters" };
    format!(
        "expected time: {} in all, {} a turn (the middle of {} measured on {whose}; the longest took {}); fetching comes before",
        duration(row.all_seconds),
        duration(row.turn_seconds),
        row.measured,
        duration(row.longest_turn_seconds)
    )
}

fn not_measured() -> String {
    "expected time: not known, no turn has been measured yet".to_owned()
}

fn hop(index: usize, hop: &PlannedHop, plan: &Plan) -> String {
    let title = format!("Hop {} of {}: {} → {}", index + 1, plan.hops.len(), hop.from, hop.to);
    let mut out = format!("\n{}\n  supported by {}\n", heading(&title), printable(&hop.source));
    let rows = hop.turns.iter().enumerate().map(|(at, of)| turn(at, of, hop, plan)).collect();
    out.push_str(&table(&["  TURN", "NODE", "HOST", "ROLE", "FROM", "TO", "PACKAGE", "AGENT"], rows));
    if hop.turns.len() > 1 {
        out.push_str(
            "  The master goes first; if the role moves to a node not yet done, that node is next.\n",
        );
    }
    if !hop.already_there.is_empty() {
        let there: Vec<String> = hop.already_there.iter().map(|NodeUid(uid)| format!("node {uid}")).collect();
        out.push_str(&format!("  there already: {}\n", there.join(", ")));
    }
    out
}

fn turn(at: usize, turn: &Turn, hop: &PlannedHop, plan: &Plan) -> Vec<Cell> {
    let node: Option<&PlannedNode> = plan.nodes.iter().find(|node| node.uid == turn.node);
    vec![
        cell(Some(&format!("  {}", at + 1))),
        cell(Some(&turn.node.0.to_string())),
        cell(node.map(|node| node.hostname.as_str())),
        cell(Some(&turn.role.to_string())),
        cell(Some(&turn.from.to_string())),
        cell(Some(&hop.to.to_string())),
        cell(Some(&turn.package.short())),
        cell(node.map(|node| node.agent.as_str())),
    ]
}

fn package(package: &Package) -> String {
    let size = package.size.map_or_else(|| "size not known".to_owned(), bytes);
    let mut text = format!("{}  {package}  {size}", command(&package.sha256.short()));
    for source in &package.sources {
        text.push_str(&format!("\nfrom {}", printable(&shown_url(source))));
    }
    bullet("•", &text)
}

fn setting(planned: &PlannedSetting) -> String {
    let PlannedSetting { setting, wanted } = planned;
    bullet("•", &format!("{setting} is {wanted} until the end, then again what it was"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn a_plan_reads_well_at_night() {
        let mut answer = sample::plan_answer();
        let grace = PlannedSetting { setting: proto::Setting::ReplicaHaGracePeriod, wanted: 3600 };
        answer.plan.as_mut().unwrap().settings.push(grace);
        let text = anstream::adapter::strip_str(&plan_answer(&answer, "7.4.6-22")).to_string();
        insta::assert_snapshot!(text, @r"
        Upgrade orders to 7.4.6-22
          1 warning, 1 passed
          ! warning: db:2 has no replica [replication]
            why: it is down during turns
            see: the vendor's guide
          ✓ passed: quorum

        Hop 1 of 1: 7.2.4-92 → 7.4.6-22
          supported by upgrade-paths
          TURN  NODE  HOST  ROLE     FROM      TO        PACKAGE       AGENT
          1     2     rs2   master   7.2.4-92  7.4.6-22  abababababab  10.0.0.2:7443
          2     1     rs1   replica  7.2.4-92  7.4.6-22  abababababab  10.0.0.1:7443
          The master goes first; if the role moves to a node not yet done, that node is next.
          there already: node 3

        Packages
          • abababababab  7.4.6-22 for jammy/amd64  300.0 MB
            from https://mirror.internal/redislabs-7.4.6-22-jammy-amd64.tar

        Settings during the upgrade
          • slave_ha_grace_period is 3600 until the end, then again what it was

        Before you say yes
          ! refresh an open Cluster Manager UI
          • A running install is never cut off; `pause` and Ctrl-C take effect between turns.

        2 turns in 1 hop
        expected time: 10m 24s in all, 5m 12s a turn (the middle of 9 measured on this cluster; the longest took 8m 20s); fetching comes before
        plan digest cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
        judged by: table of upgrade paths abababababab
        ");
    }
}
