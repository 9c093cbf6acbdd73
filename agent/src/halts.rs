//! Halts: while one is in force, no installer begins on this node. What is at work is not touched.
//!
//! They are kept in `halts.json`, which is read whenever it matters, also by the op runner: a halt holds without a
//! coordinator and across restarts, and what cannot be read counts as a halt.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto::wire::{HaltsNow, SetHalt};
use proto::{Failure, Halt, NodeHalt};
use serde::{Deserialize, Serialize};

use crate::durable::{self, Disk, StateError};
use crate::failures;
use crate::refusal::Refusal;

/// What is named as the source of a halt that stands for a file which cannot be read. No rollout can have this name.
const UNREADABLE: &str = "(unreadable)";

/// What each source asked last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltRecord {
    /// By source.
    pub sources: BTreeMap<String, Asked>,
}

/// What a source asked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its number: the highest that was obeyed.
    pub number: u64,
    /// The halt; `None` if it was lifted.
    pub halt: Option<Halt>,
}

impl HaltRecord {
    /// Obeys a source, or finds that it was obeyed. What was asked before the latest comes too late. Of two things under
    /// one number, which no single coordinator says, the halt holds.
    ///
    /// # Errors
    /// [`Refusal::StaleHalt`].
    pub fn obey(&self, asked: &SetHalt) -> Result<Self, Refusal> {
        let SetHalt { source, number, halt } = asked.clone();
        if let Some(known) = self.sources.get(&source) {
            let lifts_another = number == known.number && known.halt.is_some() && halt.is_none();
            if number < known.number || lifts_another {
                return Err(Refusal::StaleHalt { of: source, asked: number, highest: known.number });
            }
        }
        let mut sources = self.sources.clone();
        sources.insert(source, Asked { number, halt });
        Ok(Self { sources })
    }

    /// The halts in force, by source.
    pub fn in_force(&self) -> Vec<NodeHalt> {
        let in_force = |(source, asked): (&String, &Asked)| {
            asked.halt.clone().map(|halt| NodeHalt { source: source.clone(), halt })
        };
        self.sources.iter().filter_map(in_force).collect()
    }
}

/// The halts of one node, in their file.
#[derive(Clone, Debug)]
pub struct Halts {
    path: PathBuf,
    disk: Disk,
}

impl Halts {
    /// The halts in a file, which need not exist.
    pub fn at(path: PathBuf, disk: Disk) -> Self {
        Self { path, disk }
    }

    /// Obeys a source; what is answered is on the disk first. One at a time: the caller holds the desk.
    ///
    /// # Errors
    /// [`Refusal::StaleHalt`], [`Refusal::State`].
    pub fn set(&self, asked: &SetHalt) -> Result<HaltsNow, Refusal> {
        let before = read(&self.path)?;
        let record = before.obey(asked)?;
        if record != before {
            self.disk.write_json(&self.path, &record)?;
        }
        Ok(HaltsNow { halts: record.in_force() })
    }

    /// The halts in force; a file that cannot be read is one.
    pub fn in_force(&self, now: Timestamp) -> Vec<NodeHalt> {
        in_force(&self.path, now)
    }

    /// Whether an installer may begin.
    ///
    /// # Errors
    /// [`Refusal::Halted`].
    pub fn refuse_install(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.in_force(now).into_iter().next() {
            Some(halt) => Err(Refusal::Halted(Box::new(halt))),
            None => Ok(()),
        }
    }
}

/// Reads what each source asked last.
///
/// # Errors
/// [`StateError`].
pub fn read(path: &Path) -> Result<HaltRecord, StateError> {
    Ok(durable::read_json(path)?.unwrap_or_default())
}

/// The halts in force by a file; one that cannot be read is a halt, with what to do about it.
pub fn in_force(path: &Path, now: Timestamp) -> Vec<NodeHalt> {
    match read(path) {
        Ok(record) => record.in_force(),
        Err(error) => {
            let failure = failures::of_state(&error);
            let remedy = failure.remedy.clone().unwrap_or_default();
            let why = format!("{failure}; {remedy}: the coordinator then tells this node its halts again");
            let halt = Halt { by: "ratchet-agent".to_owned(), why, at: now };
            vec![NodeHalt { source: UNREADABLE.to_owned(), halt }]
        }
    }
}

/// Why no installer begins under a halt. It may be lifted at any moment, so the run goes back to its gate.
pub fn failure(halt: &NodeHalt) -> Failure {
    let NodeHalt { source, halt: Halt { by, why, at } } = halt;
    let message = format!("no installation begins on this node: {} by {by} at {at}", halted(source));
    Failure { remedy: Some(remedy(source)), ..Failure::retry("halted", message).because(why.clone()) }
}

/// What was halted, by a source.
pub fn halted(source: &str) -> String {
    match source {
        NodeHalt::FLEET => "the fleet was halted".to_owned(),
        UNREADABLE => "its halts cannot be read, which counts as a halt".to_owned(),
        rollout => format!("rollout {rollout} was halted"),
    }
}

/// How a halt is lifted.
pub fn remedy(source: &str) -> String {
    match source {
        NodeHalt::FLEET => "when it is safe, lift it from the coordinator: ratchet halt --lift".to_owned(),
        UNREADABLE => "see to the file on that node; the agent need not be restarted".to_owned(),
        rollout => format!("when it is safe, go on from the coordinator: ratchet rollout resume {rollout}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halt(why: &str) -> Halt {
        Halt { by: "alice".to_owned(), why: why.to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    fn asked(source: &str, number: u64, why: Option<&str>) -> SetHalt {
        SetHalt { source: source.to_owned(), number, halt: why.map(halt) }
    }

    fn halts() -> (tempfile::TempDir, Halts) {
        let dir = tempfile::tempdir().unwrap();
        let halts = Halts::at(dir.path().join("halts.json"), Disk::real());
        (dir, halts)
    }

    fn sources(halts: &Halts) -> Vec<String> {
        halts.in_force(Timestamp::UNIX_EPOCH).into_iter().map(|halt| halt.source).collect()
    }

    #[test]
    fn each_source_has_a_halt_of_its_own_and_only_goes_forward() {
        let (_dir, halts) = halts();
        halts.refuse_install(Timestamp::UNIX_EPOCH).unwrap();
        halts.set(&asked("fleet", 2, Some("smoke"))).unwrap();
        halts.set(&asked("autumn", 7, Some("budget"))).unwrap();
        assert_eq!(sources(&halts), ["autumn", "fleet"]);
        halts.set(&asked("fleet", 2, Some("smoke"))).unwrap();
        for late in [asked("fleet", 1, None), asked("fleet", 1, Some("older")), asked("fleet", 2, None)] {
            let refused = halts.set(&late).unwrap_err();
            assert!(matches!(refused, Refusal::StaleHalt { highest: 2, .. }), "{refused}");
        }
        halts.set(&asked("fleet", 3, None)).unwrap();
        assert_eq!(sources(&halts), ["autumn"]);
        // What was lifted under a number may be halted under it: of two words the careful one counts.
        halts.set(&asked("fleet", 3, Some("again"))).unwrap();
        assert_eq!(sources(&halts), ["autumn", "fleet"]);
        // Another handle, as after a restart or in the op runner.
        assert_eq!(sources(&halts.clone()), ["autumn", "fleet"]);
    }

    #[test]
    fn what_cannot_be_read_is_a_halt_with_a_remedy_and_is_not_overwritten() {
        let (dir, halts) = halts();
        let path = dir.path().join("halts.json");
        for text in ["", "{", r#"{"format":2,"sources":{}}"#, r#"{"sources":{"fleet":{}}}"#] {
            std::fs::write(&path, text).unwrap();
            let refusal = halts.refuse_install(Timestamp::UNIX_EPOCH).unwrap_err();
            let failure = refusal.failure();
            assert_eq!((failure.id.as_str(), failure.kind), ("halted", proto::FailureKind::Retry));
            assert!(failure.cause.unwrap().contains("halts.json"));
            halts.set(&asked("fleet", 9, None)).unwrap_err();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        std::fs::remove_file(&path).unwrap();
        halts.refuse_install(Timestamp::UNIX_EPOCH).unwrap();
    }
}
