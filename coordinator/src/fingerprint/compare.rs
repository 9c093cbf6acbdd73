//! Comparing two fingerprints.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, Reading};

/// One thing that is no longer configured as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What, for instance `db:3: maxclients`.
    pub key: String,
    /// What it was; `None`: it was not there.
    pub before: Option<String>,
    /// What it is; `None`: it is gone.
    pub after: Option<String>,
}

/// What came of comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing changed.
    Same,
    /// Something changed.
    Changed(Vec<Change>),
    /// Nothing is known to have changed, but what was known before cannot be read now; one line each, with the keys that
    /// it is about.
    CannotTell(Vec<(String, String)>),
}

/// What changed. Nodes and databases that came or went count; a key that only one side has does not, because every version
/// of the product shows others. `own` are keys that the run itself has changed.
pub fn compare(before: &Fingerprint, now: &Reading, own: &[String]) -> Comparison {
    let mut changes = Vec::new();
    let mut unread: Vec<(String, String)> = Vec::new();
    for (key, was) in before.0.iter().filter(|(key, _)| !own.contains(key)) {
        match now.value(key) {
            Err(reason) => unread.push((key.clone(), reason.clone())),
            Ok(Some(is)) if is != was => changes.push(change(key, Some(was), Some(is))),
            Ok(None) if is_subject(key) => changes.push(change(key, Some(was), None)),
            Ok(Some(_) | None) => {}
        }
    }
    let came = now.fingerprint.0.iter().filter(|(key, _)| is_subject(key) && !before.0.contains_key(*key));
    changes.extend(came.map(|(key, is)| change(key, None, Some(is))));
    match (changes.is_empty(), unread.is_empty()) {
        (false, _) => Comparison::Changed(changes),
        (true, false) => Comparison::CannotTell(unread),
        (true, true) => Comparison::Same,
    }
}

/// `node:2`, `db:1`: the thing itself and not one of its keys.
pub(super) fn is_subject(key: &str) -> bool {
    !key.contains(": ")
}

fn change(key: &str, before: Option<&String>, after: Option<&String>) -> Change {
    Change { key: key.to_owned(), before: before.cloned(), after: after.cloned() }
}

impl Fingerprint {
    /// What it is after changes that somebody meant.
    pub fn with(&self, changes: &[Change]) -> Self {
        let mut values = self.0.clone();
        for Change { key, after, .. } in changes {
            match after {
                Some(value) => drop(values.insert(key.clone(), value.clone())),
                None => drop(values.remove(key)),
            }
        }
        Self(values)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{}: `{before}` → `{after}`", self.key),
            (Some(before), None) => {
                write!(f, "{} (`{before}`) is gone, or cannot be read any more", self.key)
            }
            (None, Some(after)) => write!(f, "{} (`{after}`) is new", self.key),
            (None, None) => write!(f, "{} came and went", self.key),
        }
    }
}
