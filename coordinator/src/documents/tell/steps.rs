//! What happens in a step, and what comes of it. Pure.

use proto::{StepKind, StepOutcome, StepProgress, StepReport};

use super::second;

/// What happened in a step, in a sentence, as its agent wrote it down.
pub fn step_progress(kind: StepKind, what: &StepProgress) -> String {
    match what {
        StepProgress::Started { resumed: false } => format!("{kind} begun"),
        StepProgress::Started { resumed: true } => {
            format!("{kind} gone on with, after the agent was away")
        }
        StepProgress::Moved { doing, done, total: Some(total) } => {
            format!("{doing}: {} of {}", mebibytes(*done), mebibytes(*total))
        }
        StepProgress::Moved { doing, done: 0, total: None } => doing.clone(),
        StepProgress::Moved { doing, done, total: None } => format!("{doing}: {}", mebibytes(*done)),
        StepProgress::Output(line) => format!("| {line}"),
        StepProgress::Retry { cause, next_at, gives_up_at } => {
            format!("{cause}; next try at {}, gives up at {}", second(*next_at), second(*gives_up_at))
        }
        StepProgress::Finished(outcome) => outcome_text(&kind.to_string(), outcome),
    }
}

/// How a step ended.
pub(super) fn outcome_text(kind: &str, outcome: &StepOutcome) -> String {
    match outcome {
        StepOutcome::Completed { report, .. } => report_text(report),
        StepOutcome::Failed(failure) => format!("{kind} failed: {failure}"),
        StepOutcome::Interrupted(reason) => format!("{kind} was cut off: {reason}"),
        StepOutcome::Cancelled => format!("{kind} was cancelled"),
    }
}

fn report_text(report: &StepReport) -> String {
    match report {
        StepReport::Fetch { size, source } if source.is_empty() => {
            format!("package held already, SHA-256 verified ({})", mebibytes(*size))
        }
        StepReport::Fetch { size, source } => {
            format!("package fetched from {source}, SHA-256 verified ({})", mebibytes(*size))
        }
        StepReport::Unpack { files, size, .. } => format!("{files} files unpacked ({})", mebibytes(*size)),
        StepReport::Check(checked) => {
            format!(
                "rlcheck passed ({} tests), all shards, nodes and endpoints OK",
                checked.rlcheck.tests.len()
            )
        }
        StepReport::Install(installed) => {
            format!("install.sh ended with {} after {}", installed.exit, seconds(installed.took_ms))
        }
        StepReport::Confirm { installed, .. } => {
            format!(
                "it finds itself at {} and healthy ({})",
                installed.version,
                installed.read_from.join(", ")
            )
        }
        StepReport::Collect { path, .. } => format!("logs collected in {path} on the node"),
        StepReport::Restart => "cnm_exec restarted".to_owned(),
        StepReport::Tune { now } => format!("the setting is {now} now, read back from the cluster"),
    }
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}
