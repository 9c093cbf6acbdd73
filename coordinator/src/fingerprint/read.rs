//! Reading the fingerprint out of what all agents said.

use std::collections::btree_map::Entry;

use proto::{ClusterView, Fact, Row};

use super::compare::is_subject;
use super::{Fingerprint, Reading};
use crate::snapshot::{Snapshot, Witness};

/// Keys that tell how something is, and those the installer itself changes.
const NOT_CONFIGURED: [&str; 9] =
    ["uid", "name", "upgrade mode", "upgrade_mode", "shards", "memory", "state", "status", "uptime"];
/// Keys with one of these in them tell how something is, or change with the product's version.
const CHANGES_BY_ITSELF: [&str; 6] = ["version", "used_", "free_", "available", "progress", "last_"];

/// What is configured, as all agents that answered agree on it.
pub fn read(snapshot: &Snapshot) -> Reading {
    let mut reading = Reading::default();
    for witness in snapshot.witnesses() {
        match witness.facts.view.as_result() {
            Ok(view) => note_view(&mut reading, view),
            Err(reason) => reading.unseen = Some(reason.to_owned()),
        }
        note_rows(&mut reading, &witness, Fact::ClusterInfo, |_| Some("cluster".to_owned()));
        note_rows(&mut reading, &witness, Fact::NodeInfo, |_| Some(witness.uid.to_string()));
        note_rows(&mut reading, &witness, Fact::DatabaseInfo, |row| Some(format!("db:{}", row.get("uid")?)));
    }
    if snapshot.views().next().is_some() {
        reading.unseen = None;
    }
    reading
}

/// Nodes and databases are known from every look.
fn note_view(reading: &mut Reading, view: &ClusterView) {
    for node in &view.nodes {
        note(reading, node.uid.to_string(), node.address.clone());
    }
    for database in &view.databases {
        let subject = format!("db:{}", database.uid);
        note(reading, subject.clone(), database.name.clone());
        note(reading, format!("{subject}: endpoints"), database.endpoints.join(", "));
        if let Some(replicated) = database.replicated {
            note(reading, format!("{subject}: replication"), replicated.to_string());
        }
    }
}

/// The rows of one fact, by the subject that each is about.
fn note_rows(
    reading: &mut Reading,
    witness: &Witness<'_>,
    fact: Fact,
    subject: impl Fn(&Row) -> Option<String>,
) {
    let rows = match witness.facts.details.rows(fact) {
        Ok(rows) => rows,
        Err(reason) => return unread(reading, &prefix(fact, witness), reason),
    };
    for row in rows {
        let Some(subject) = subject(row) else {
            return unread(reading, &prefix(fact, witness), format!("a row of `{fact}` has no uid"));
        };
        let configured = row.iter().filter(|(key, _)| is_configured(key));
        configured.for_each(|(key, value)| note(reading, format!("{subject}: {key}"), value.clone()));
    }
}

fn prefix(fact: Fact, witness: &Witness<'_>) -> String {
    match fact {
        Fact::ClusterInfo => "cluster: ".to_owned(),
        Fact::NodeInfo => format!("{}: ", witness.uid),
        _ => "db:".to_owned(),
    }
}

fn is_configured(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !NOT_CONFIGURED.contains(&key.as_str()) && CHANGES_BY_ITSELF.iter().all(|part| !key.contains(part))
}

fn unread(reading: &mut Reading, prefix: &str, reason: String) {
    reading.unread.entry(prefix.to_owned()).or_insert(reason);
}

/// Two agents that tell different values leave it unread: the next look will show who was late.
fn note(reading: &mut Reading, key: String, value: String) {
    let Reading { fingerprint: Fingerprint(values), disputed, .. } = reading;
    match values.entry(key) {
        Entry::Vacant(entry) => drop(entry.insert(value)),
        Entry::Occupied(entry) if *entry.get() == value => {}
        Entry::Occupied(entry) => {
            let reason = format!("the agents tell different values: `{}` and `{value}`", entry.get());
            disputed.entry(entry.key().clone()).or_insert(reason);
        }
    }
}

impl Reading {
    /// The value of a key, `None` if there is none. The error is why it is not known.
    pub(super) fn value(&self, key: &str) -> Result<Option<&String>, &String> {
        if let Some(dispute) = self.disputed.get(key) {
            return Err(dispute);
        }
        // Nodes and databases themselves are told by every look at the cluster, whatever else cannot be read.
        let unread =
            self.unread.iter().find(|(prefix, _)| !is_subject(key) && key.starts_with(prefix.as_str()));
        let why = unread.map(|(_, reason)| reason).or(self.unseen.as_ref());
        match (self.fingerprint.0.get(key), why) {
            (Some(value), _) => Ok(Some(value)),
            (None, Some(reason)) => Err(reason),
            (None, None) => Ok(None),
        }
    }
}
