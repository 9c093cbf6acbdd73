//! The fingerprint of a cluster's configuration: what must not change while a run is under way, unless somebody says so.
//! Pure.
//!
//! It is taken when the plan is made and looked at again before each turn. It holds what is configured, not how the cluster
//! is: health, roles and loads are the checks' business, and databases' Redis versions that of the check `database-versions`.

mod compare;
mod read;

use std::collections::BTreeMap;

use proto::Fact;
use serde::{Deserialize, Serialize};

pub use compare::{Change, Comparison, compare};
pub use read::read;

/// The facts it is read from, beyond what every look has.
pub const FACTS: [Fact; 3] = [Fact::ClusterInfo, Fact::NodeInfo, Fact::DatabaseInfo];

/// What is configured: values by `cluster: KEY`, `node:N: KEY`, `db:N: KEY`. Each node and database has an entry of its own
/// name besides, so that one that comes or goes is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub BTreeMap<String, String>);

/// What was read, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What is configured, as far as it is known.
    pub fingerprint: Fingerprint,
    /// What some agent could not read, with why: by the beginning of the keys that it would have told.
    pub unread: BTreeMap<String, String>,
    /// Why no agent sees the cluster, if none does.
    pub unseen: Option<String>,
    /// Keys that agents tell different values for, with what they tell.
    pub disputed: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests;
