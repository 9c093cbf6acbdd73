//! What a writer remembers of the journals it writes to: their last events. Somebody who changes the past under its hands
//! is noticed at its next event.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The number and the digest of the last event of each journal.
#[derive(Debug, Default)]
pub(super) struct Tails(Mutex<BTreeMap<String, (u64, String)>>);

impl Tails {
    /// The digest of an event, if it is the last that was written to that journal.
    pub(super) fn of(&self, journal: &str, seq: u64) -> Option<String> {
        let tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tails.get(journal).filter(|(last, _)| *last == seq).map(|(_, chain)| chain.clone())
    }

    /// Remembers an event that is durable.
    pub(super) fn put(&self, journal: &str, seq: u64, chain: &str) {
        let mut tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tails.insert(journal.to_owned(), (seq, chain.to_owned()));
    }
}
