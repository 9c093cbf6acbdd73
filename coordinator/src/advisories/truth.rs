//! Three-valued truth (Kleene): what is missing is neither yes nor no.

use std::collections::{BTreeMap, BTreeSet};

/// Why facts are missing, with the names of those that are.
pub type Missing = BTreeMap<String, BTreeSet<&'static str>>;

/// Whether something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    /// It cannot be told, because these are missing.
    Unknown(Missing),
}

impl Truth {
    /// It is not known for want of one fact.
    pub(super) fn unknown(fact: &'static str, reason: String) -> Self {
        Self::Unknown(Missing::from([(reason, BTreeSet::from([fact]))]))
    }

    /// Yes if all are; no as soon as one is no, whatever is missing.
    pub(super) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let opposites = truths.into_iter().map(Self::not);
        Self::any(opposites).not()
    }

    /// Yes as soon as one is, whatever is missing; no only if all are no.
    pub(super) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut missing = Missing::new();
        for truth in truths {
            match truth {
                Self::Yes => return Self::Yes,
                Self::No => {}
                Self::Unknown(more) => add(&mut missing, more),
            }
        }
        if missing.is_empty() { Self::No } else { Self::Unknown(missing) }
    }

    /// The opposite; of unknown, unknown.
    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

/// Adds what else is missing.
pub(super) fn add(missing: &mut Missing, more: Missing) {
    for (reason, facts) in more {
        missing.entry(reason).or_default().extend(facts);
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
