//! What must outlive the agent: an install, run by `ratchet-agent run-op <step>` in a process of its own.
//!
//! That process, the op runner, is the durable truth. In the step's directory it leaves
//! - `started.json`, created once and never removed: whoever creates it is the only one who may start the installer,
//! - `child.json`, the installer's process,
//! - `output.log`, all the installer's output,
//! - `result.json`, how it ended,
//!
//! and while it lives it holds a lock on `op.lock`, so that nobody has to guess from process numbers.

mod follow;
mod launch;
mod op;
mod procfs;
mod systemd;
mod tail;
mod verify;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto::{Exit, Failure};
use serde::{Deserialize, Serialize};

pub use follow::{Ended, follow};
pub use launch::{launch, run_detached};
pub use op::{OpError, run_op};
pub use procfs::boot_id;
pub(crate) use verify::manifest_for;
pub use verify::refused_order;

use crate::durable::{self, StateError};

/// Says that this step's one start is used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The kernel's id of the boot in which it was started.
    pub boot_id: String,
    /// The op runner's process.
    pub process: Process,
    /// systemd's id of this invocation, where it runs as a unit.
    pub invocation_id: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A process, told from a later one with the same number by its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot (`/proc/<pid>/stat`, field 22).
    pub start_time: u64,
}

/// How an op ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpResult {
    /// The installer was run and ended.
    Ran {
        /// How.
        exit: Exit,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// It was not run: what was found is not what was ordered.
    Refused(Box<Failure>),
}

/// Whether the one start of the op in a step's directory is used up.
pub fn was_started(dir: &Path) -> bool {
    files(dir).started.exists()
}

/// Uses up the one start of an op that could not be launched, so that a launch that was only slow starts nothing. Says
/// `true`, now and whenever it is asked again, if the installer was never started; `false` if an op runner was faster.
///
/// # Errors
/// [`StateError`].
pub fn void(dir: &Path) -> Result<bool, StateError> {
    let started = files(dir).started;
    if durable::create_json_once(&started, &Voided::NeverStarted)? {
        return Ok(true);
    }
    // Anything else that is there, also something unreadable, counts as a start.
    Ok(matches!(durable::read_json::<Voided>(&started), Ok(Some(Voided::NeverStarted))))
}

/// What is in place of [`Started`] when the start was used up without one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Voided {
    NeverStarted,
}

/// The files of an op.
#[derive(Debug)]
struct OpFiles {
    started: PathBuf,
    child: PathBuf,
    output: PathBuf,
    result: PathBuf,
    lock: PathBuf,
    runner_log: PathBuf,
}

fn files(dir: &Path) -> OpFiles {
    OpFiles {
        started: dir.join("started.json"),
        child: dir.join("child.json"),
        output: output_log(dir),
        result: dir.join("result.json"),
        lock: dir.join("op.lock"),
        runner_log: dir.join("runner.log"),
    }
}

/// The whole output of the installer of a step.
pub fn output_log(dir: &Path) -> PathBuf {
    dir.join("output.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voided_start_stays_voided_and_a_real_one_is_never_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!was_started(dir.path()));
        assert!(void(dir.path()).unwrap());
        assert!(void(dir.path()).unwrap());
        assert!(was_started(dir.path()), "no op runner can begin any more");
        for real in ["", "{", r#"{"boot_id":"x","process":{"pid":1,"start_time":2},"invocation_id":null}"#] {
            std::fs::write(dir.path().join("started.json"), real).unwrap();
            assert!(!void(dir.path()).unwrap(), "{real}");
        }
    }
}
