//! What somebody is told: the document that webhooks and commands get.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto::{ClusterName, RolloutName, RunId};
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::documents::{Document, HeadRow};

/// A piece of news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `ratchet.notice/1`.
    pub schema: String,
    /// The same for every attempt to tell it, and for everybody who is told: whoever has seen it may ignore it.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What sort of news it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The cluster, if it is about one.
    pub cluster: Option<ClusterName>,
    /// One line.
    pub title: String,
    /// What happened and why, in sentences.
    pub text: String,
    /// What can be done now, the likeliest first.
    pub commands: Vec<String>,
    /// The event that it is about, with its digest, which covers the journal up to it: kept where the notice is kept, it
    /// tells later whether the journal is still the same.
    #[serde(default)]
    pub journal: Option<HeadRow>,
    /// The exit code that `ratchet wait` ends with when things stand so; `None` if it would not end.
    pub exit: Option<u8>,
}

/// What news is about: one of the two, or the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The run.
    pub run: Option<RunId>,
    /// The rollout.
    pub rollout: Option<RolloutName>,
}

impl Document for Notice {
    const SCHEMA: &'static str = "ratchet.notice/1";
}

impl Notice {
    /// The same, with the digest of the event that it is about.
    pub fn with_digest(self, digests: &BTreeMap<u64, String>) -> Self {
        let seq =
            self.id.strip_prefix(&self.subject.key()).and_then(|seq| seq.strip_prefix('#')?.parse().ok());
        let journal = seq.and_then(|seq| Some(HeadRow { seq, digest: digests.get(&seq)?.clone() }));
        Self { journal, ..self }
    }
}

impl Subject {
    /// A run.
    pub fn of_run(run: &RunId) -> Self {
        Self { run: Some(run.clone()), rollout: None }
    }

    /// A rollout.
    pub fn of_rollout(rollout: &RolloutName) -> Self {
        Self { run: None, rollout: Some(rollout.clone()) }
    }

    /// Its name among all that there can be news of; also the name that the store keeps it under.
    pub fn key(&self) -> String {
        match (&self.run, &self.rollout) {
            (Some(run), _) => format!("run:{run}"),
            (None, Some(rollout)) => format!("rollout:{rollout}"),
            (None, None) => "fleet".to_owned(),
        }
    }

    /// The id of the news that its event of that number is.
    pub(super) fn id(&self, seq: u64) -> String {
        format!("{}#{seq}", self.key())
    }
}
