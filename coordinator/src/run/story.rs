//! A journal that contradicts the world: both versions of the story, for a person to say which is true.

use proto::{Failure, NodeUid, StepId, StepKind, Version};

use super::{Halt, Run, StepEntry};

/// The id of such a failure.
const CONTRADICTION: &str = "contradiction";

fn contradiction(node: NodeUid, step: Option<StepKind>, journal: &str, world: &str, remedy: String) -> Halt {
    let message = format!("the journal and {node} tell different stories");
    let failure = Failure::operator(CONTRADICTION, message, remedy)
        .because(format!("the journal says: {journal}; the node says: {world}"));
    Halt { node: Some(node), step, failure }
}

/// An install was sent to an agent that has lost its memory since: whether it was started cannot be asked any more.
pub(super) fn forgotten_install(run: &Run, step: &StepId, entry: &StepEntry) -> Halt {
    let journal = format!(
        "install {step} was sent to this agent at {:.0}, and its end was never heard",
        entry.intended_at
    );
    let world = "the agent's state directory is a new one, so it knows of no install";
    let remedy = format!(
        "on the node, make sure that no install.sh is at work; then: ratchet resume {}, which looks at the node and \
         installs nothing",
        run.id
    );
    contradiction(entry.node, Some(StepKind::Install), &journal, world, remedy)
}

/// An agent does not know, or does not tell, what became of an install that it was sent.
pub(super) fn unclear_install(run: &Run, node: NodeUid, step: &StepId, failure: &Failure) -> Halt {
    let journal = format!("install {step} was sent to this agent, and its end was never heard");
    let world = failure.to_string();
    let remedy = format!(
        "on the node, make sure that no install.sh is at work; then: ratchet resume {}, which asks again and starts \
         nothing that was started before",
        run.id
    );
    contradiction(node, Some(StepKind::Install), &journal, &world, remedy)
}

/// A node is at a lower version than the one it was seen at before: the vendor's software has no downgrade.
pub(super) fn went_back(run: &Run, node: NodeUid, installed: Version) -> Option<Halt> {
    let progress = run.nodes.get(&node).filter(|progress| installed < progress.version)?;
    let confirmed = progress.done.iter().next_back();
    let journal = match confirmed {
        Some((hop, at)) => {
            format!("{node} is at {}: hop {} was confirmed at {at:.0}", progress.version, hop + 1)
        }
        None => format!("{node} is at {}", progress.version),
    };
    let remedy = format!(
        "find out who put another version on the node (a restored disk, a reinstalled machine?); when it is clear: \
         ratchet abort {0}, then plan again",
        run.id
    );
    Some(contradiction(node, None, &journal, &format!("{installed} is installed"), remedy))
}
