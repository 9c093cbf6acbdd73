//! The halts that a simulated node obeys.

use std::collections::BTreeMap;

use proto::wire::SetHalt;
use proto::{Failure, Halt, NodeHalt};

/// What each source has asked last.
#[derive(Debug, Default)]
pub(crate) struct Halts(BTreeMap<String, (u64, Option<Halt>)>);

impl Halts {
    /// Sets or lifts a halt, unless its source has asked for something later.
    pub(crate) fn set(&mut self, asked: SetHalt) -> Result<(), Failure> {
        let highest = self.0.get(&asked.source).map_or(0, |(number, _)| *number);
        if asked.number < highest {
            let message = format!("{} has asked for number {highest} since", asked.source);
            return Err(Failure::operator("stale-halt", message, "ask with a higher number"));
        }
        self.0.insert(asked.source, (asked.number, asked.halt));
        Ok(())
    }

    /// Those in force.
    pub(crate) fn in_force(&self) -> Vec<NodeHalt> {
        let in_force = |(source, (_, halt)): (&String, &(u64, Option<Halt>))| {
            Some(NodeHalt { source: source.clone(), halt: halt.clone()? })
        };
        self.0.iter().filter_map(in_force).collect()
    }

    /// Why no installation begins, if none does.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        let halt = self.in_force().into_iter().next()?;
        let message = format!("no installation begins on this node: {} has halted it", halt.source);
        Some(Failure::retry("halted", message).because(halt.halt.why))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn set(number: u64, halted: bool) -> SetHalt {
        let halt = Halt { by: "me".to_owned(), why: "so".to_owned(), at: Timestamp::UNIX_EPOCH };
        SetHalt { source: NodeHalt::FLEET.to_owned(), number, halt: halted.then_some(halt) }
    }

    #[test]
    fn the_latest_word_counts_whatever_comes_late() {
        let mut halts = Halts::default();
        halts.set(set(2, true)).unwrap();
        assert!(halts.refusal().is_some());
        assert_eq!(halts.set(set(1, false)).unwrap_err().id, "stale-halt");
        assert_eq!(halts.in_force().len(), 1);
        halts.set(set(3, false)).unwrap();
        assert!(halts.refusal().is_none());
    }
}
