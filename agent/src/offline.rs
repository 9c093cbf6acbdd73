//! `ratchet-agent status`: what the state directory says, without a running agent.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;
use proto::{Halt, NodeHalt, StepEvent, StepId, StepProgress};

use crate::claims::ClaimRecord;
use crate::config::Config;
use crate::durable::{self, Disk, StateError};
use crate::executor::{StepRecord, all_steps, events_file};
use crate::halts;
use crate::journal::{self, Peeked};
use crate::memory;
use crate::package::Packages;
use crate::state::StateDir;

/// Claim, halts, packages and steps in plain lines.
///
/// # Errors
/// [`StateError`].
pub fn render_status(config: &Config) -> Result<String, StateError> {
    let state = StateDir::at(&config.state_dir);
    let mut text = render_claim(&durable::read_json::<ClaimRecord>(&state.claim())?.unwrap_or_default());
    for halt in halts::in_force(&state.halts(), Timestamp::now()) {
        let NodeHalt { source, halt: Halt { by, why, at } } = halt;
        let (what, how) = (halts::halted(&source), halts::remedy(&source));
        push(&mut text, &format!("HALTED: {what} by {by} at {at}: {why}; no installation begins; {how}"));
    }
    if let Some(memory) = memory::read(&state.memory())? {
        push(&mut text, &format!("memory {memory}"));
    }
    for held in Packages::in_state(&state, &Disk::real()).held()? {
        let line = format!("package {} {} ({} bytes)", held.version, held.sha256, held.size);
        push(&mut text, &line);
    }
    for step in all_steps(&state)? {
        push(&mut text, &render_step(&state, &step));
    }
    Ok(text)
}

fn render_claim(record: &ClaimRecord) -> String {
    let claim = match &record.claim {
        Some(claim) => format!(
            "claimed by run {} of cluster {} at epoch {} since {} ({})",
            claim.run, claim.cluster, claim.epoch, claim.since, claim.holder
        ),
        None => format!("not claimed; highest epoch {}", record.highest_epoch),
    };
    claim + "\n"
}

/// A step that cannot be read is shown as such: the others matter too.
fn render_step(state: &StateDir, step: &StepId) -> String {
    let record = StepRecord::read(state, step);
    let events_file = events_file(state, step);
    let events = journal::peek::<StepEvent>(&events_file);
    match (record, events) {
        (Ok(Some(record)), Ok(peeked)) => {
            let damage = render_damage(&peeked, &events_file);
            format!("step {step} ({}): {}{damage}", record.spec.kind(), render_last(&peeked.records))
        }
        (Err(error), _) | (_, Err(error)) => format!("step {step}: {}", error.full()),
        (Ok(None), _) => format!("step {step}: was never ordered"),
    }
}

/// What is lost of a history must be seen wherever the history is shown.
fn render_damage(peeked: &Peeked<StepEvent>, events: &Path) -> String {
    let mut text = String::new();
    if let Some(cut) = peeked.cut {
        text += &format!("; {cut} damaged bytes were cut off, kept in {}", journal::aside(events).display());
    }
    if peeked.tail > 0 {
        text += &format!("; the last {} bytes are damaged, or just being written", peeked.tail);
    }
    text
}

fn render_last(events: &[StepEvent]) -> String {
    let Some(last) = events.last() else { return "not begun".to_owned() };
    let what = match &last.what {
        StepProgress::Started { .. } => "begun".to_owned(),
        StepProgress::Moved { doing, done, .. } => format!("{doing}, {done} bytes"),
        StepProgress::Output(line) => format!("said `{line}`"),
        StepProgress::Retry { cause, .. } => format!("tries again: {cause}"),
        StepProgress::Finished(outcome) => render_outcome(outcome),
    };
    format!("{what} at {}", last.at)
}

fn render_outcome(outcome: &proto::StepOutcome) -> String {
    match outcome {
        proto::StepOutcome::Completed { .. } => "completed".to_owned(),
        proto::StepOutcome::Failed(failure) => format!("failed: {failure}"),
        proto::StepOutcome::Interrupted(reason) => format!("interrupted: {reason}"),
        proto::StepOutcome::Cancelled => "cancelled".to_owned(),
    }
}

fn push(text: &mut String, line: &str) {
    // Writing into a string cannot fail.
    let _written = writeln!(text, "{line}");
}
