//! One hook as a process.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::judge::{Ending, MOST_OUTPUT};
use crate::process::{self, Keep, Limits, SYSTEM_PATH};

/// How a hook ended and what it printed.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) ending: Ending,
    pub(super) stdout: Vec<u8>,
    /// The end of it, if it is long.
    pub(super) stderr: Vec<u8>,
}

/// Runs a hook to its end, or to the end of its time.
pub(super) async fn run(program: &Path, input: &[u8], limit: Duration) -> Ran {
    // Somebody may have traced a long script: of that the end will do.
    let limits = Limits { time: limit, stdout: MOST_OUTPUT, stderr: Keep::End(MOST_OUTPUT) };
    let ran = process::run(process::clean(program, SYSTEM_PATH), Some(input), limits).await;
    let ending = match ran.ending {
        process::Ending::Ended(status) => of_status(status),
        process::Ending::Overdue => Ending::Overdue(limit),
        process::Ending::TooMuch => Ending::TooMuch,
        process::Ending::NotStarted(error) => Ending::NotStarted(error.to_string()),
        process::Ending::Lost(error) => Ending::Lost(error.to_string()),
    };
    Ran { ending, stdout: ran.stdout, stderr: ran.stderr }
}

fn of_status(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Killed(format!("signal {signal}")),
        (None, None) => Ending::Lost(status.to_string()),
    }
}
