//! Hooks: the operator's own programs at fixed points of an upgrade, on the coordinator and on the nodes. Here are the
//! words for them and the one way in which both sides run them. What a hook is given, and what its answer means, is in
//! `docs/hooks.md`.

mod judge;
mod listing;
mod process;
mod runner;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use judge::judge_answer;
pub use runner::HookRunner;

use crate::{ClusterName, NodeUid, RunId, Version};

/// The schema of what a hook reads.
pub const HOOK_SCHEMA: &str = "ratchet.hook/1";

/// Where in an upgrade hooks are run. Each is a directory of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookPoint {
    /// After the cluster was looked at, before a plan is made of it; at a start once more.
    BeforePlan,
    /// After the gate has cleared a node, before its turn begins.
    BeforeTurn,
    /// After the witnesses have seen a node well, before its turn ends.
    AfterTurn,
    /// After a run has halted.
    OnHalt,
    /// After all else, before a run is over.
    AfterRun,
}

impl HookPoint {
    /// All of them, in the order of a run.
    pub const ALL: [Self; 5] =
        [Self::BeforePlan, Self::BeforeTurn, Self::AfterTurn, Self::OnHalt, Self::AfterRun];

    /// Its word, which is its directory's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::BeforePlan => "before-plan",
            Self::BeforeTurn => "before-turn",
            Self::AfterTurn => "after-turn",
            Self::OnHalt => "on-halt",
            Self::AfterRun => "after-run",
        }
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whose machine a hook is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookSide {
    /// The coordinator's.
    Coordinator,
    /// A node.
    Node,
}

/// What a hook says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookVerdict {
    /// All is well.
    Pass,
    /// It may go on, but a person should know.
    Warn,
    /// It must not go on.
    Block,
    /// It said nothing that can be understood. Stands in the way like `Block`.
    CannotTell,
}

impl HookVerdict {
    /// Whether it stands in the way.
    pub fn blocks(self) -> bool {
        match self {
            Self::Pass | Self::Warn => false,
            Self::Block | Self::CannotTell => true,
        }
    }
}

/// A node, as a hook is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookNode {
    /// The product's number for it.
    pub uid: NodeUid,
    /// Its agent, `host:port`.
    pub agent: String,
}

/// The hop at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookHop {
    /// From this version.
    pub from: Version,
    /// To this one.
    pub to: Version,
}

/// Why a run has halted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookHalt {
    /// A stable word for it.
    pub id: String,
    /// What failed.
    pub message: String,
    /// Why, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// On which node, if on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeUid>,
}

/// What hooks are run for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookCall {
    /// Where in the upgrade.
    pub point: HookPoint,
    /// The cluster.
    pub cluster: ClusterName,
    /// The version that every node is to be at.
    pub target: Version,
    /// The run, except before a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The node whose turn it is; on a node the node itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<HookNode>,
    /// The hop of the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop: Option<HookHop>,
    /// Why the run has halted, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<HookHalt>,
    /// How the run is over, if it is: `done`, `aborted` or `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

#[derive(Serialize)]
struct Input<'a> {
    schema: &'static str,
    side: HookSide,
    #[serde(flatten)]
    call: &'a HookCall,
}

impl HookCall {
    /// What a hook reads: one JSON object and a line's end.
    ///
    /// # Errors
    /// It cannot be written as JSON, which would be a bug.
    pub fn input(&self, side: HookSide) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec(&Input { schema: HOOK_SCHEMA, side, call: self })?;
        text.push(b'\n');
        Ok(text)
    }

    /// An answer that nobody gave: what hooks there are, or what one of them says, is not known.
    pub fn cannot_tell(&self, side: HookSide, name: &str, message: String, remedy: String) -> HookOutcome {
        HookOutcome {
            point: self.point,
            side,
            node: self.node.as_ref().map(|node| node.uid),
            name: name.to_owned(),
            verdict: HookVerdict::CannotTell,
            message,
            remedy: Some(remedy),
            output_tail: Vec::new(),
            took_ms: 0,
        }
    }
}

/// What became of one hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookOutcome {
    /// Where in the upgrade.
    pub point: HookPoint,
    /// Whose machine it was run on.
    pub side: HookSide,
    /// The node it is about: of a hook on a node that node, of one on the coordinator the node whose turn it is.
    pub node: Option<NodeUid>,
    /// The name of its file; the point's word if what there is to run cannot be told at all.
    pub name: String,
    /// What it says.
    pub verdict: HookVerdict,
    /// Why, in its words or ours.
    pub message: String,
    /// What to do about it, where it is known.
    pub remedy: Option<String>,
    /// The last lines it printed that are no answer.
    pub output_tail: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl HookOutcome {
    /// Where it was run, for people: `the coordinator`, `node:2`.
    pub fn place(&self) -> String {
        match (self.side, self.node) {
            (HookSide::Coordinator, _) => "the coordinator".to_owned(),
            (HookSide::Node, Some(node)) => node.to_string(),
            (HookSide::Node, None) => "a node".to_owned(),
        }
    }

    /// What it said, with the last that it printed, in one line.
    pub fn said(&self) -> String {
        if self.output_tail.is_empty() {
            return self.message.clone();
        }
        format!("{}; it printed: {}", self.message, self.output_tail.join(" | "))
    }
}

#[cfg(test)]
mod tests;
