//! What hooks said. Pure.

use proto::{HookOutcome, HookVerdict, NodeUid};

/// The node that all of them are about, if there is one.
pub(super) fn node_of(outcomes: &[HookOutcome]) -> Option<NodeUid> {
    let node = outcomes.first()?.node?;
    outcomes.iter().all(|outcome| outcome.node == Some(node)).then_some(node)
}

/// Each hook with its place and its word.
pub(super) fn hooked(outcomes: &[HookOutcome]) -> String {
    let point = outcomes.first().map_or("hooks", |outcome| outcome.point.word());
    let told: Vec<String> = outcomes.iter().map(told).collect();
    format!("hooks {point}: {}", told.join("; "))
}

fn told(outcome: &HookOutcome) -> String {
    let (name, place) = (&outcome.name, outcome.place());
    match outcome.verdict {
        HookVerdict::Pass => format!("{name} on {place} passed"),
        HookVerdict::Warn => format!("{name} on {place} warns: {}", outcome.said()),
        HookVerdict::Block => format!("{name} on {place} blocks: {}", outcome.said()),
        HookVerdict::CannotTell => format!("{name} on {place} cannot tell: {}", outcome.said()),
    }
}

#[cfg(test)]
mod tests {
    use proto::{HookPoint, HookSide};

    use super::*;

    fn outcome(side: HookSide, node: Option<u32>, verdict: HookVerdict) -> HookOutcome {
        HookOutcome {
            point: HookPoint::AfterTurn,
            side,
            node: node.map(NodeUid),
            name: "10-x".to_owned(),
            verdict,
            message: "so it is".to_owned(),
            remedy: None,
            output_tail: Vec::new(),
            took_ms: 1,
        }
    }

    #[test]
    fn every_hook_is_told_with_its_place() {
        let own = outcome(HookSide::Coordinator, Some(2), HookVerdict::Pass);
        let of_node = outcome(HookSide::Node, Some(2), HookVerdict::Block);
        let text = hooked(&[own.clone(), of_node.clone()]);
        assert_eq!(text, "hooks after-turn: 10-x on the coordinator passed; 10-x on node:2 blocks: so it is");
        assert_eq!(node_of(&[own.clone(), of_node.clone()]), Some(NodeUid(2)));
        assert_eq!(node_of(&[of_node, outcome(HookSide::Node, Some(3), HookVerdict::Warn)]), None);
        assert_eq!(node_of(&[outcome(HookSide::Coordinator, None, HookVerdict::Warn), own]), None);
        assert_eq!(node_of(&[]), None);
    }
}
