//! What is said while a run is followed. Pure.

use proto::Failure;

use crate::documents::{NodeState, RunDocument};

/// Said at the first Ctrl-C.
pub(super) fn pausing(run: &RunDocument) -> String {
    let at_work: Vec<String> = run.nodes.iter().filter_map(|node| turn(node.uid, node.state)).collect();
    let waits = if at_work.is_empty() {
        "it takes effect before the next turn".to_owned()
    } else {
        format!("waiting for the turn at work to end: {}", at_work.join(", "))
    };
    format!("pausing {}: {waits}. Ctrl-C again leaves at once.", run.id)
}

fn turn(uid: u32, state: NodeState) -> Option<String> {
    match state {
        NodeState::Checking => Some(format!("node {uid} is being checked")),
        NodeState::Installing => Some(format!("node {uid} is installing, which is never cut off")),
        NodeState::Confirming => Some(format!("node {uid} is being confirmed")),
        NodeState::Waiting
        | NodeState::Preparing
        | NodeState::Prepared
        | NodeState::Done
        | NodeState::Failed => None,
    }
}

/// Said when somebody leaves before the end.
pub(super) fn left(run: &RunDocument, drives: bool) -> String {
    let id = &run.id;
    if !drives {
        return format!("run {id} goes on without this terminal; follow it again: ratchet watch {id}");
    }
    let installs = run.nodes.iter().any(|node| node.state == NodeState::Installing);
    let install = if installs { "; the install at work goes on by itself on its node" } else { "" };
    format!("left run {id}; nothing more is started{install}. Go on with: ratchet resume {id}")
}

/// Said when a served coordinator does not answer.
pub(in crate::cli) fn lost(failure: &Failure) -> String {
    format!(
        "the coordinator does not answer, asking again ({failure}); the run does not depend on this terminal"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn ctrl_c_says_what_it_waits_for() {
        let text = pausing(&sample::run());
        assert!(text.contains("node 2 is installing, which is never cut off"), "{text}");
        assert!(text.contains("Ctrl-C again"), "{text}");
    }

    #[test]
    fn leaving_says_how_to_come_back() {
        let run = sample::run();
        let text = left(&run, true);
        assert!(text.contains(&format!("ratchet resume {}", run.id)), "{text}");
        assert!(text.contains("install at work goes on"), "{text}");
        assert!(left(&run, false).contains(&format!("ratchet watch {}", run.id)));
    }
}
