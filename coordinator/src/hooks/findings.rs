//! What hooks say, as findings. Pure.

use proto::{HookOutcome, HookSide, HookVerdict};

use crate::checks::{Acceptance, Finding, Verdict, accept};

/// A hook's word as a finding; `--accept hook:NAME="reason"` accepts it. `agent` is that of the node it was run on.
pub fn finding(outcome: &HookOutcome, agent: Option<&str>) -> Finding {
    let (verdict, file) = (verdict(outcome.verdict), file(outcome.side));
    Finding {
        check: format!("hook:{}", outcome.name),
        verdict,
        node: outcome.node,
        agent: agent.map(str::to_owned),
        saw: outcome.said(),
        why: format!("your own hook {}, on {}", outcome.point, outcome.place()),
        remedy: outcome.remedy.clone(),
        source: format!("[hooks] in {file}"),
        promise: None,
        accepted: None,
    }
}

/// Those that stand in the way although some are accepted.
pub fn blocking<'o>(outcomes: &'o [HookOutcome], accepted: &[Acceptance]) -> Vec<&'o HookOutcome> {
    let findings = accept(outcomes.iter().map(|outcome| finding(outcome, None)).collect(), accepted);
    let blocks = outcomes.iter().zip(findings).filter(|(_, finding)| finding.blocks());
    blocks.map(|(outcome, _)| outcome).collect()
}

fn verdict(verdict: HookVerdict) -> Verdict {
    match verdict {
        HookVerdict::Pass => Verdict::Pass,
        HookVerdict::Warn => Verdict::Warn,
        HookVerdict::Block => Verdict::Block,
        HookVerdict::CannotTell => Verdict::CannotTell,
    }
}

fn file(side: HookSide) -> &'static str {
    match side {
        HookSide::Coordinator => "ratchet.toml",
        HookSide::Node => "agent.toml",
    }
}

#[cfg(test)]
mod tests {
    use proto::{HookPoint, NodeUid};

    use super::*;

    fn outcome(name: &str, verdict: HookVerdict) -> HookOutcome {
        HookOutcome {
            point: HookPoint::BeforeTurn,
            side: HookSide::Node,
            node: Some(NodeUid(2)),
            name: name.to_owned(),
            verdict,
            message: "it ended with exit status 4".to_owned(),
            remedy: Some("see to it".to_owned()),
            output_tail: vec!["no room".to_owned()],
            took_ms: 3,
        }
    }

    #[test]
    fn a_finding_names_the_hook_its_place_and_its_output() {
        let finding = finding(&outcome("10-backup", HookVerdict::Block), Some("n2:7443"));
        assert_eq!(
            finding.to_string(),
            "hook:10-backup: node:2: it ended with exit status 4; it printed: no room (your own hook before-turn, on \
             node:2)"
        );
        assert!(finding.blocks());
    }

    #[test]
    fn what_blocks_or_cannot_tell_stands_in_the_way_unless_accepted_by_name() {
        use HookVerdict::{Block, CannotTell, Pass, Warn};
        let outcomes =
            [outcome("a", Pass), outcome("b", Warn), outcome("c", Block), outcome("d", CannotTell)];
        let names = |accepted: &[Acceptance]| -> Vec<String> {
            blocking(&outcomes, accepted).iter().map(|outcome| outcome.name.clone()).collect()
        };
        assert_eq!(names(&[]), ["c", "d"]);
        assert_eq!(names(&["hook:c=we know".parse().unwrap()]), ["d"]);
        assert_eq!(names(&["c=we know".parse().unwrap(), "hook:*=all".parse().unwrap()]), ["c", "d"]);
    }
}
