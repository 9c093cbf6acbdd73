//! `status`: clusters and their nodes.

use comfy_table::{Cell, Color};

use super::style::{bad, bullet, caution, good, heading};
use super::table::{cell, table};
use crate::documents::{ClusterRow, NodeRow, StatusDocument};

/// All clusters, one below the other.
pub fn status(document: &StatusDocument) -> String {
    if document.clusters.is_empty() {
        return "no cluster is configured; add a [[cluster]] to the configuration\n".to_owned();
    }
    let halted = super::fleet::halted(document.fleet_halt.as_ref());
    let warnings = document.warnings.iter().map(|warning| bullet(&caution("!"), &super::printable(warning)));
    halted
        + &warnings.collect::<String>()
        + &document.clusters.iter().map(cluster).collect::<Vec<_>>().join("\n")
}

fn cluster(cluster: &ClusterRow) -> String {
    let health = if cluster.healthy { good("healthy") } else { bad("not healthy") };
    let version = cluster.version.as_deref().unwrap_or("versions differ or are not known");
    let mut out = format!("{} · {health} · {version}", heading(&cluster.name));
    match cluster.master {
        Some(uid) => out.push_str(&format!(" · master: node {uid}\n")),
        None => out.push_str(&format!(" · {}\n", bad("master: not clear"))),
    }
    if let Some(run) = &cluster.run {
        out.push_str(&format!("  run {run}: see `ratchet why {run}`\n"));
    }
    out.push_str(&nodes(&cluster.nodes));
    cluster.problems.iter().for_each(|problem| out.push_str(&bullet(&bad("✗"), &super::printable(problem))));
    cluster.remarks.iter().for_each(|remark| out.push_str(&bullet(&caution("!"), &super::printable(remark))));
    troubles(cluster).for_each(|trouble| out.push_str(&bullet(&bad("✗"), &super::printable(&trouble))));
    out
}

/// What agents say is wrong with them, unless the cluster's problems say it already.
fn troubles(cluster: &ClusterRow) -> impl Iterator<Item = String> {
    let said = |trouble: &str| cluster.problems.iter().any(|problem| problem.contains(trouble));
    cluster.nodes.iter().filter_map(move |node| {
        let trouble = node.trouble.as_deref().filter(|trouble| !said(trouble))?;
        Some(format!("{}: {trouble}", node.agent))
    })
}

fn nodes(nodes: &[NodeRow]) -> String {
    let header =
        ["NODE", "ROLE", "VERSION", "STATUS", "HOST", "ADDRESS", "AGENT", "CLAIM", "PACKAGES", "STEP"];
    table(&header, nodes.iter().map(node).collect())
}

fn node(node: &NodeRow) -> Vec<Cell> {
    let uid = node.uid.map(|uid| uid.to_string());
    let packages = (!node.packages.is_empty()).then(|| node.packages.join(", "));
    vec![
        cell(uid.as_deref()),
        cell(node.role.as_deref()),
        cell(node.version.as_deref()),
        health(node),
        cell(node.hostname.as_deref()),
        cell(node.address.as_deref()),
        cell(Some(&node.agent)),
        cell(node.claim.as_deref()),
        cell(packages.as_deref()),
        cell(node.step.as_deref()),
    ]
}

/// Green only for what is known to be good.
fn health(node: &NodeRow) -> Cell {
    if !node.reachable {
        return Cell::new("unreachable").fg(Color::Red);
    }
    let is_ok = node.status.as_deref().is_some_and(|status| status == "OK" || status.starts_with("OK, "));
    cell(node.status.as_deref()).fg(if is_ok { Color::Green } else { Color::Red })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn a_cluster_reads_at_a_glance() {
        let text = anstream::adapter::strip_str(&status(&sample::status())).to_string();
        insta::assert_snapshot!(text, @r"
        orders · not healthy · 7.2.4-92 · master: node 1
        NODE  ROLE     VERSION   STATUS       HOST  ADDRESS   AGENT          CLAIM  PACKAGES  STEP
        1     master   7.2.4-92  OK           rs1   10.0.0.1  10.0.0.1:7443  -      7.4.6-22  -
        2     replica  7.2.4-92  DOWN         rs2   10.0.0.2  10.0.0.2:7443  -      -         -
        -     -        -         unreachable  -     -         10.0.0.3:7443  -      -         -
          ✗ node:2 status is DOWN
          ! node 1 runs without systemd
          ✗ 10.0.0.3:7443: connection refused
        ");
    }

    #[test]
    fn an_unreachable_agent_is_never_green() {
        let mut document = sample::status();
        document.clusters[0].nodes[0].reachable = false;
        let text = status(&document);
        assert!(text.contains("unreachable"), "{text}");
        let row = text.lines().find(|line| line.contains("unreachable")).unwrap();
        assert!(!row.contains("OK"), "{row}");
    }

    #[test]
    fn one_trouble_is_told_once() {
        let mut document = sample::status();
        document.clusters[0].problems = vec!["agent 10.0.0.3:7443: connection refused".to_owned()];
        assert_eq!(status(&document).matches("connection refused").count(), 1);
    }

    #[test]
    fn no_cluster_is_said() {
        let document = StatusDocument { clusters: Vec::new(), ..sample::status() };
        assert!(status(&document).contains("no cluster is configured"));
    }
}
