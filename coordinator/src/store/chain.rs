//! The chain over a journal: the digest of each event covers the event as it is stored and the digest of the one before
//! it. Whoever changes, takes out, puts in or reorders events of the past has to make all digests after them anew, and so
//! another head. Pure.

mod verify;

use proto::{RolloutName, RunId, Sha256};

use super::StoredEvent;
pub use verify::{Head, Misfit, Proof, verify};

/// What nothing else that is hashed begins with.
const DOMAIN: &[u8] = b"ratchet journal 1";

/// Whose journal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    kind: &'static str,
    name: &'a str,
}

impl<'a> Owner<'a> {
    /// A run.
    pub fn run(run: &'a RunId) -> Self {
        Self { kind: "run", name: run.as_str() }
    }

    /// A rollout.
    pub fn rollout(rollout: &'a RolloutName) -> Self {
        Self { kind: "rollout", name: rollout.as_str() }
    }

    /// The name of the run or the rollout.
    pub fn name(self) -> &'a str {
        self.name
    }

    /// What the chain begins with. No two journals have the same, so no event of one is one of another.
    fn start(self) -> Sha256 {
        let mut covered = Vec::new();
        for part in [DOMAIN, self.kind.as_bytes(), self.name.as_bytes()] {
            sized(&mut covered, part);
        }
        Sha256::of(&covered)
    }

    /// The digest of an event that comes after another one; `None` if that one is in no chain, or there is none.
    pub fn link(self, before: Option<Sha256>, event: &StoredEvent) -> Sha256 {
        let StoredEvent { seq, epoch, at, format, body, .. } = event;
        let before = before.unwrap_or_else(|| self.start());
        let mut covered = before.as_bytes().to_vec();
        sized(&mut covered, self.name.as_bytes());
        covered.extend(seq.to_be_bytes());
        covered.extend(epoch.0.to_be_bytes());
        sized(&mut covered, at.as_bytes());
        covered.extend(format.to_be_bytes());
        sized(&mut covered, body.as_bytes());
        Sha256::of(&covered)
    }

    /// The events with their digests, for a store that keeps none.
    pub fn linked(self, events: Vec<StoredEvent>) -> Vec<StoredEvent> {
        let link = |before: &mut Option<Sha256>, event: StoredEvent| {
            let digest = self.link(*before, &event);
            *before = Some(digest);
            Some(StoredEvent { chain: digest.to_string(), ..event })
        };
        events.into_iter().scan(None, link).collect()
    }
}

/// With its length before it, so that no byte can be moved from one part to the next.
fn sized(covered: &mut Vec<u8>, part: &[u8]) {
    covered.extend((part.len() as u64).to_be_bytes());
    covered.extend(part);
}

#[cfg(test)]
mod tests;
