//! The rows of the live view: what is at work, and the rest of the plan below it. Pure.

use jiff::Timestamp;

use crate::cli::render::{bytes, elapsed, node_state, printable};
use crate::documents::{HopRow, NodeState, RunDocument, RunNodeRow, StepRow};

/// Nodes shown in rows of their own; more would not fit a terminal, and the ones in excess are counted
/// instead.
const MOST_NODES: usize = 14;

/// The rows at a moment.
pub(super) fn rows(run: &RunDocument, now: Timestamp) -> Vec<String> {
    let mut rows = vec![heading(run, now)];
    let (shown, hidden) = shown(&run.nodes);
    rows.extend(shown.iter().map(|node| row(node, now)));
    if hidden > 0 {
        rows.push(format!("  … and {hidden} more waiting or done"));
    }
    let hops = run.hops.iter().enumerate().filter(|(_, hop)| !hop.done).skip(1);
    rows.extend(hops.map(|(index, hop)| later(index, hop)));
    rows
}

fn heading(run: &RunDocument, now: Timestamp) -> String {
    let done = run.nodes.iter().filter(|node| node.state == NodeState::Done).count();
    let hop = match run.hops.iter().position(|hop| !hop.done) {
        Some(at) if run.hops.len() > 1 => {
            let hop = &run.hops[at];
            format!(" · hop {} of {}: {} → {}", at + 1, run.hops.len(), hop.from, hop.to)
        }
        Some(_) | None => String::new(),
    };
    let (cluster, target, nodes) = (&run.cluster, &run.target, run.nodes.len());
    format!("{cluster} → {target}{hop} · {done} of {nodes} nodes done · {}", elapsed(run.created_at, now))
}

/// Nodes at work always; of the others as many as fit, in the order of the plan.
fn shown(nodes: &[RunNodeRow]) -> (Vec<&RunNodeRow>, usize) {
    let at_work = |node: &&RunNodeRow| !matches!(node.state, NodeState::Waiting | NodeState::Done);
    let mut room = MOST_NODES.saturating_sub(nodes.iter().filter(at_work).count());
    let kept: Vec<&RunNodeRow> = nodes
        .iter()
        .filter(|node| {
            let kept = at_work(node) || room > 0;
            if !at_work(node) {
                room = room.saturating_sub(1);
            }
            kept
        })
        .collect();
    let hidden = nodes.len() - kept.len();
    (kept, hidden)
}

fn row(node: &RunNodeRow, now: Timestamp) -> String {
    let mark = match node.state {
        NodeState::Done => "✓",
        NodeState::Failed => "✗",
        NodeState::Waiting | NodeState::Prepared => "·",
        NodeState::Preparing | NodeState::Checking | NodeState::Installing | NodeState::Confirming => "▶",
    };
    let name = format!("node {} {}", node.uid, printable(&node.hostname));
    let mut text = format!("{mark} {name:<22} {:<12} {:<11}", node.version, node_state(node.state));
    if let Some(step) = &node.step {
        text.push_str(&format!(" {}", of_step(step, now)));
    } else if let (Some(began), Some(ended)) = (node.turn_started_at, node.turn_ended_at) {
        text.push_str(&format!(" in {}", elapsed(began, ended)));
    }
    text.trim_end().to_owned()
}

fn of_step(step: &StepRow, now: Timestamp) -> String {
    let mut parts = vec![format!("{}: {}", step.kind, printable(&step.doing))];
    match (step.done, step.total) {
        (done, Some(total)) if total > 0 => {
            let percent = u128::from(done) * 100 / u128::from(total);
            parts.push(format!("{} of {} ({percent} %)", bytes(done), bytes(total)));
        }
        (0, _) => {}
        (done, _) => parts.push(bytes(done)),
    }
    parts.extend(step.rate.map(|rate| format!("{}/s", bytes(rate))));
    parts.push(elapsed(step.since, now));
    parts.join(" · ")
}

fn later(index: usize, hop: &HopRow) -> String {
    format!("  then hop {}: {} → {} on every node", index + 1, hop.from, hop.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn the_node_at_work_and_the_rest_of_the_plan_are_seen() {
        let rows = rows(&sample::run(), sample::at(120));
        assert_eq!(
            rows,
            [
                "orders → 7.4.6-22 · hop 1 of 2: 6.2.18-65 → 7.2.4-92 · 1 of 3 nodes done · 2m 0s",
                "✓ node 1 rs1             7.2.4-92     done        in 1m 10s",
                "▶ node 2 rs2             6.2.18-65    installing  install: running install.sh · 50.0 MB of 200.0 MB \
                 (25 %) · 5.0 MB/s · 30s",
                "· node 3 rs3             6.2.18-65    waiting",
                "  then hop 2: 7.2.4-92 → 7.4.6-22 on every node",
            ]
        );
    }

    #[test]
    fn a_large_cluster_fits_and_nodes_at_work_are_never_hidden() {
        let mut run = sample::run();
        let waiting = run.nodes[2].clone();
        run.nodes = (1..=35).map(|uid| RunNodeRow { uid, ..waiting.clone() }).collect();
        run.nodes[34].state = NodeState::Installing;
        let rows = rows(&run, sample::at(120));
        assert!(rows.len() <= MOST_NODES + 3, "{}", rows.len());
        assert!(rows.iter().any(|row| row.contains("node 35")), "{rows:?}");
        assert!(rows.iter().any(|row| row.contains("21 more")), "{rows:?}");
    }
}
