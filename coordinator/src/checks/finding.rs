//! What a check found.

use std::fmt;

use proto::NodeUid;
use serde::{Deserialize, Serialize};

/// What a check says about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's id.
    pub check: String,
    /// Whether it stands in the way.
    pub verdict: Verdict,
    /// The node it is about, if it is about one.
    pub node: Option<NodeUid>,
    /// The agent it is about or was seen by, `host:port`.
    pub agent: Option<String>,
    /// What was seen.
    pub saw: String,
    /// Why that matters.
    pub why: String,
    /// What to do about it, as a command where there is one.
    pub remedy: Option<String>,
    /// Where the vendor, or the design, says so.
    #[serde(default)]
    pub source: String,
    /// The promise that would be broken, if one: then it cannot be accepted away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<String>,
    /// Why somebody accepts it, if somebody does: then it does not stand in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// Whether a finding stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well.
    Pass,
    /// Worth knowing.
    Info,
    /// It may go on, but a person should know.
    Warn,
    /// It could not be found out. Stands in the way like `Block` (promise P5).
    CannotTell,
    /// It must not go on.
    Block,
}

impl Verdict {
    /// Whether nothing may be started while this stands.
    pub fn blocks(self) -> bool {
        match self {
            Self::Pass | Self::Info | Self::Warn => false,
            Self::CannotTell | Self::Block => true,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::CannotTell => "cannot tell",
            Self::Block => "block",
        })
    }
}

impl Finding {
    /// Whether nothing may be started while it stands and nobody has accepted it.
    pub fn blocks(&self) -> bool {
        self.verdict.blocks() && self.accepted.is_none()
    }

    pub(super) fn on(self, node: NodeUid) -> Self {
        Self { node: Some(node), ..self }
    }

    pub(super) fn by(self, agent: &str) -> Self {
        Self { agent: Some(agent.to_owned()), ..self }
    }

    pub(super) fn fix(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// One line: what was seen, where, and why it matters.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.check)?;
        match (&self.node, &self.agent) {
            (Some(node), _) => write!(f, "{node}: ")?,
            (None, Some(agent)) => write!(f, "{agent}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.saw)?;
        if self.why.is_empty() { Ok(()) } else { write!(f, " ({})", self.why) }
    }
}
