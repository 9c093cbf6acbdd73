//! What can be news: the words of `on` in `[[notify]]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A run or a rollout stands still until a person acts.
    Halted,
    /// A run has paused because somebody else changed the cluster's configuration.
    ForeignChange,
    /// A run or a rollout is done.
    Done,
    /// A rollout went through, and clusters failed within its budgets.
    DoneWithFailures,
    /// A run or a rollout was ended by a person.
    Aborted,
    /// A run was refused before it changed anything.
    Blocked,
    /// A wave of a rollout waits for a person's approval.
    ApprovalWanted,
    /// The window of a rollout closed while clusters of it were unfinished.
    WindowMissed,
    /// The whole fleet was halted.
    FleetHalted,
    /// The halt of the fleet was lifted.
    FleetLifted,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Halted,
        Self::ForeignChange,
        Self::Done,
        Self::DoneWithFailures,
        Self::Aborted,
        Self::Blocked,
        Self::ApprovalWanted,
        Self::WindowMissed,
        Self::FleetHalted,
        Self::FleetLifted,
    ];

    /// Its word in files and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Halted => "halted",
            Self::ForeignChange => "foreign-change",
            Self::Done => "done",
            Self::DoneWithFailures => "done-with-failures",
            Self::Aborted => "aborted",
            Self::Blocked => "blocked",
            Self::ApprovalWanted => "approval-wanted",
            Self::WindowMissed => "window-missed",
            Self::FleetHalted => "fleet-halted",
            Self::FleetLifted => "fleet-lifted",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no kind of news.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of news")]
pub struct NoSuchKind(String);

impl FromStr for Kind {
    type Err = NoSuchKind;

    fn from_str(text: &str) -> Result<Self, NoSuchKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == text).ok_or_else(|| NoSuchKind(text.to_owned()))
    }
}
