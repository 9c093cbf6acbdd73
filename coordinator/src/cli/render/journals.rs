//! What agents have written down of a run themselves.

use jiff::tz::TimeZone;

use super::style::{bad, caution, heading};
use super::units::{bytes, clock, moment, printable};
use crate::documents::{AgentJournalRow, StepJournalRow};

/// The journals of all agents.
pub(super) fn journals(agents: &[AgentJournalRow], zone: &TimeZone) -> String {
    agents.iter().map(|agent| of_agent(agent, zone)).collect()
}

fn of_agent(agent: &AgentJournalRow, zone: &TimeZone) -> String {
    let title = format!("Journals of node {} (the agent at {})", agent.node, agent.address);
    let mut out = format!("\n{}\n", heading(&title));
    if let Some(error) = &agent.error {
        let cause = error.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        out.push_str(&format!(
            "  {} {}\n",
            bad("not told:"),
            printable(&format!("{}{cause}", error.message))
        ));
    }
    for step in agent.steps.iter().flatten() {
        out.push_str(&of_step(step, zone));
    }
    if agent.steps.as_ref().is_some_and(Vec::is_empty) {
        out.push_str("  it was given no step of this run\n");
    }
    out
}

fn of_step(step: &StepJournalRow, zone: &TimeZone) -> String {
    let end = if step.ended { "" } else { ", not ended" };
    let mut out = format!("  {} given at {}{end}\n", printable(&step.step), moment(step.accepted_at, zone));
    for event in &step.events {
        out.push_str(&format!(
            "    {:>4}  {}  {}\n",
            event.seq,
            clock(event.at, zone),
            printable(&event.text)
        ));
    }
    if let Some(cut) = step.cut_bytes {
        let text = format!("{} at the end of this journal could not be read and were cut off", bytes(cut));
        out.push_str(&format!("    {} {text}\n", caution("!")));
    }
    out
}
