//! What must hold after a schedule, by the journals and by the ledger beside the nodes: pure.

use fleet::{Deed, Entry, Violation};
use jiff::Timestamp;
use proto::ClusterName;
use serde::{Deserialize, Serialize};

use crate::timeline::{Mark, Resume, Work};

/// How long a run may stand still, in seconds, from when it could go on.
pub const LIMIT: f64 = 15.0;

/// A run with its journal: what matters here of a `ratchet.run/1`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The cluster it upgrades.
    pub cluster: String,
    /// Where it stands.
    pub state: String,
    /// What it is doing, in a sentence.
    pub doing: String,
    /// Its events.
    pub events: Option<Vec<Event>>,
}

/// An event of a run: what matters here of a `ratchet.event/1`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Event {
    /// Its number.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The epoch it was written at.
    pub epoch: u64,
    /// Its kind.
    pub kind: String,
    /// What happened, in a sentence.
    pub text: String,
}

impl Run {
    fn journal(&self) -> &[Event] {
        self.events.as_deref().unwrap_or_default()
    }

    /// When it moved on: what was journaled, and what its nodes began.
    pub fn work(&self, ledger: &[Entry]) -> Work {
        let began =
            ledger.iter().filter(|entry| entry.deed == Deed::Began && entry.run.to_string() == self.id);
        let mut marks: Vec<Mark> = began.map(|entry| Mark { at: entry.at, epoch: entry.epoch.0 }).collect();
        marks.extend(self.journal().iter().map(|event| Mark { at: event.at, epoch: event.epoch }));
        marks.sort();
        Work { run: self.id.clone(), marks }
    }

    /// What is wrong with its end and its journal.
    pub fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.state != "done" {
            found.push(format!("{} is {}: {}", self.id, self.state, self.doing));
        }
        let events = self.journal();
        if events.is_empty() {
            found.push(format!("{} has no journal", self.id));
        }
        for (expected, event) in (1..).zip(events) {
            if event.seq != expected {
                found.push(format!("{}: event {expected} is number {}", self.id, event.seq));
                break;
            }
        }
        let falls = events.windows(2).find(|two| two[1].epoch < two[0].epoch);
        found.extend(falls.map(|two| format!("{}: event {} is of an older epoch", self.id, two[1].seq)));
        let ends = events.iter().filter(|event| event.kind == "ended").count();
        if ends != 1 {
            found.push(format!("{} ended {ends} times", self.id));
        }
        found
    }
}

/// Promises broken on the nodes: what the ledger saw, and nodes that were not installed exactly once.
pub fn on_nodes(ledger: &[Entry], seen: &[Violation], clusters: &[ClusterName], nodes: u32) -> Vec<String> {
    let mut found: Vec<String> =
        seen.iter().map(|violation| format!("{}: {}", violation.promise, violation.what)).collect();
    for cluster in clusters {
        for node in 1..=nodes {
            let of_node = |entry: &&Entry| entry.cluster == *cluster && entry.node.0 == node;
            let began = ledger.iter().filter(of_node).filter(|entry| entry.deed == Deed::Began).count();
            let upgraded = ledger.iter().filter(of_node).filter(|entry| entry.deed == Deed::Upgraded).count();
            if (began, upgraded) != (1, 1) {
                found.push(format!(
                    "{cluster}: node {node} was installed {began} times, to its end {upgraded} times"
                ));
            }
        }
    }
    found
}

/// Runs that stood still for too long.
pub fn too_slow(resumes: &[Resume]) -> Vec<String> {
    let slow = resumes.iter().filter(|resume| resume.seconds.is_none_or(|seconds| seconds > LIMIT));
    slow.map(|Resume { kind, run, seconds }| match seconds {
        Some(seconds) => format!("{run} stood still for {seconds:.1} s ({kind})"),
        None => format!("{run} never went on ({kind})"),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use proto::{Epoch, NodeUid};

    use super::*;
    use crate::schedule::Kind;

    fn run(state: &str, events: &[(u64, u64, &str)]) -> Run {
        let event = |(seq, epoch, kind): &(u64, u64, &str)| Event {
            seq: *seq,
            at: Timestamp::from_second(seq.cast_signed()).unwrap(),
            epoch: *epoch,
            kind: (*kind).to_owned(),
            text: String::new(),
        };
        let events = Some(events.iter().map(event).collect());
        Run {
            id: "r".to_owned(),
            cluster: "c".to_owned(),
            state: state.to_owned(),
            doing: String::new(),
            events,
        }
    }

    fn entry(node: u32, second: i64, deed: Deed) -> Entry {
        Entry {
            at: Timestamp::from_second(second).unwrap(),
            cluster: "c".parse().unwrap(),
            node: NodeUid(node),
            run: "r".parse().unwrap(),
            step: "s".parse().unwrap(),
            epoch: Epoch(1),
            deed,
        }
    }

    #[test]
    fn a_whole_journal_of_a_run_that_is_done_is_well() {
        let good = run("done", &[(1, 1, "created"), (2, 2, "driving"), (3, 2, "ended")]);
        assert_eq!(good.violations(), [""; 0]);
    }

    #[test]
    fn gaps_doubles_old_epochs_and_other_ends_are_seen() {
        for (bad, word) in [
            (run("done", &[(1, 1, "created"), (3, 1, "ended")]), "event 2 is number 3"),
            (run("done", &[(1, 1, "created"), (1, 1, "created"), (2, 1, "ended")]), "event 2 is number 1"),
            (run("done", &[(1, 2, "created"), (2, 1, "ended")]), "older epoch"),
            (run("done", &[(1, 1, "created")]), "ended 0 times"),
            (run("halted", &[(1, 1, "created"), (2, 1, "ended")]), "is halted"),
            (run("done", &[]), "no journal"),
        ] {
            let found = bad.violations();
            assert!(found.iter().any(|line| line.contains(word)), "{word}: {found:?}");
        }
    }

    #[test]
    fn every_node_is_installed_exactly_once() {
        let clusters = ["c".parse().unwrap()];
        let whole = [entry(1, 1, Deed::Began), entry(1, 2, Deed::Upgraded)];
        assert_eq!(on_nodes(&whole, &[], &clusters, 1), [""; 0]);
        assert_eq!(on_nodes(&whole, &[], &clusters, 2).len(), 1, "the second node was not installed");
        let twice = [whole.clone(), whole.clone()].concat();
        assert_eq!(on_nodes(&twice, &[], &clusters, 1).len(), 1);
        let what = "two at a time".to_owned();
        let seen = Violation { promise: "P1", at: Timestamp::UNIX_EPOCH, what };
        assert_eq!(on_nodes(&whole, &[seen], &clusters, 1), ["P1: two at a time"]);
    }

    #[test]
    fn a_run_moves_on_by_its_journal_and_by_what_its_nodes_begin() {
        let ledger = [entry(1, 2, Deed::Began), entry(1, 9, Deed::Upgraded)];
        let work = run("done", &[(1, 1, "created"), (3, 1, "ended")]).work(&ledger);
        assert_eq!(work.marks.iter().map(|mark| mark.at.as_second()).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn standing_still_for_too_long_is_told() {
        let resume = |seconds| Resume { kind: Kind::Kill, run: "r".to_owned(), seconds };
        assert_eq!(too_slow(&[resume(Some(14.9))]), [""; 0]);
        assert_eq!(too_slow(&[resume(Some(15.1)), resume(None)]).len(), 2);
    }
}
