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
mod op_host;
mod ops;
mod others;
mod procfs;
mod systemd;
mod tail;
mod verify;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto::{Exit, Failure};
use serde::{Deserialize, Serialize};

pub use follow::{Ended, Op, follow};
pub use launch::{LaunchError, run_detached};
pub use op::{OpError, run_op, run_op_on};
pub use op_host::{Guard, OpHost, SystemHost};
pub use ops::{Ops, SignOfLife, SystemOps};
pub use others::another_lives;
pub use procfs::boot_id;
pub(crate) use verify::authentic_manifest;
pub use verify::refused_order;

use crate::durable::{self, Disk, StateError};

/// The file that says which process the installer is.
const CHILD: &str = "child.json";

/// Says that this step's one start is used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// By whom.
    #[serde(flatten)]
    pub by: Identity,
    /// When.
    pub at: Timestamp,
}

/// Who an op runner is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The kernel's id of the boot in which it was started.
    pub boot_id: String,
    /// The op runner's process.
    pub process: Process,
    /// systemd's id of this invocation, where it runs as a unit.
    pub invocation_id: Option<String>,
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
pub fn void(disk: &Disk, dir: &Path) -> Result<bool, StateError> {
    let started = files(dir).started;
    if disk.create_json_once(&started, &Voided { never_started: true })? {
        return Ok(true);
    }
    match durable::read_json::<Voided>(&started) {
        Ok(voided) => Ok(voided.is_some_and(|voided| voided.never_started)),
        // Anything else that is there, also something unreadable, counts as a start.
        Err(StateError::Damaged { .. }) => Ok(is_voided_word(&started)),
        Err(error) => Err(error),
    }
}

/// What is in place of [`Started`] when the start was used up without one.
#[derive(Debug, Serialize, Deserialize)]
struct Voided {
    never_started: bool,
}

/// Agents of before formats were named wrote a word instead of a document.
fn is_voided_word(started: &Path) -> bool {
    std::fs::read(started).is_ok_and(|bytes| bytes == b"\"never_started\"")
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
        child: dir.join(CHILD),
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
        let void = |dir: &Path| void(&Disk::real(), dir);
        assert!(!was_started(dir.path()));
        assert!(void(dir.path()).unwrap());
        assert!(void(dir.path()).unwrap());
        assert!(was_started(dir.path()), "no op runner can begin any more");
        for real in ["", "{", r#"{"boot_id":"x","process":{"pid":1,"start_time":2},"invocation_id":null}"#] {
            std::fs::write(dir.path().join("started.json"), real).unwrap();
            assert!(!void(dir.path()).unwrap(), "{real}");
        }
        std::fs::write(dir.path().join("started.json"), r#""never_started""#).unwrap();
        assert!(void(dir.path()).unwrap(), "as agents of before wrote it");
        std::fs::write(dir.path().join("started.json"), r#"{"format":2}"#).unwrap();
        assert!(matches!(void(dir.path()), Err(StateError::Format { .. })));
    }

    #[test]
    fn starts_and_results_of_before_formats_were_named_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            durable::read_json::<OpResult>(&path)
        };
        let started = r#"{"boot_id":"b","process":{"pid":1,"start_time":2},"invocation_id":null,"at":"1970-01-01T00:00:00Z"}"#;
        std::fs::write(&path, started).unwrap();
        let by = Identity {
            boot_id: "b".to_owned(),
            process: Process { pid: 1, start_time: 2 },
            invocation_id: None,
        };
        let expected = Started { by, at: Timestamp::UNIX_EPOCH };
        assert_eq!(durable::read_json::<Started>(&path).unwrap().unwrap(), expected);
        let ran = OpResult::Ran { exit: Exit::Code(0), took_ms: 5 };
        assert_eq!(read(r#"{"ran":{"exit":{"code":0},"took_ms":5}}"#).unwrap().unwrap(), ran);
        for result in [ran, OpResult::Refused(Box::new(Failure::bug("x")))] {
            Disk::real().write_json(&path, &result).unwrap();
            assert_eq!(durable::read_json::<OpResult>(&path).unwrap().unwrap(), result);
        }
        assert!(matches!(read(r#"{"format":2,"ran":{}}"#), Err(StateError::Format { .. })));
    }
}
