//! What agents themselves have written down of a run's steps.

use jiff::Timestamp;
use proto::{Failure, NodeUid, StepEvent, StepHistory};
use serde::{Deserialize, Serialize};

use super::{ErrorDocument, ErrorRow, tell};

/// The journals of one agent, or why it did not tell them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentJournalRow {
    /// Its node.
    pub node: u32,
    /// Its address.
    pub address: String,
    /// The run's steps that it was given, in that order; `None` if it did not answer.
    pub steps: Option<Vec<StepJournalRow>>,
    /// Why it did not answer.
    pub error: Option<ErrorRow>,
}

/// One step, as its agent wrote it down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepJournalRow {
    /// Its id.
    pub step: String,
    /// Its kind.
    pub kind: String,
    /// When the agent was given it, by the agent's clock.
    pub accepted_at: Timestamp,
    /// Whether it has ended.
    pub ended: bool,
    /// Bytes that were cut off the journal's end because they could not be read; `None` if it was whole.
    pub cut_bytes: Option<u64>,
    /// What happened, in order. Of lines of output only the last few.
    pub events: Vec<StepEventRow>,
}

/// A line of a step's journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepEventRow {
    /// Its number in the step's journal.
    pub seq: u64,
    /// When, by the agent's clock.
    pub at: Timestamp,
    /// What happened, in a sentence.
    pub text: String,
}

/// What an agent answered, as a row.
pub fn agent_journal(
    node: NodeUid,
    address: &str,
    answer: Result<Vec<StepHistory>, Failure>,
) -> AgentJournalRow {
    let (steps, error) = match answer {
        Ok(mut steps) => {
            steps.sort_by(|one, other| (one.accepted_at, &one.step).cmp(&(other.accepted_at, &other.step)));
            (Some(steps.iter().map(step).collect()), None)
        }
        Err(failure) => (None, Some(ErrorDocument::from(&failure).error)),
    };
    AgentJournalRow { node: node.0, address: address.to_owned(), steps, error }
}

fn step(history: &StepHistory) -> StepJournalRow {
    let event = |event: &StepEvent| StepEventRow {
        seq: event.seq,
        at: event.at,
        text: tell::step_progress(history.kind, &event.what),
    };
    StepJournalRow {
        step: history.step.to_string(),
        kind: history.kind.to_string(),
        accepted_at: history.accepted_at,
        ended: history.ended,
        cut_bytes: history.cut_bytes,
        events: history.events.iter().map(event).collect(),
    }
}
