//! The only place in the agent where a process is made: a program by its whole path, all its arguments, and an environment
//! in which nothing of the agent's own is left. Standard input is closed, no shell is between, and every other file of the
//! agent's is closed in the program.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use proto::StepId;
use proto::process::{self, SYSTEM_PATH};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::process::Command;

use super::programs::Call;

/// The product's tools write logs that its own user must read, and "root's umask must be 0022" for the installer (fact
/// sheet §5.3). What the agent keeps to itself has its mode from the moment it is made.
pub const UMASK: u32 = 0o022;

/// Gives this process, and so all that it starts, the umask that they need, whoever started it.
pub fn set_umask() {
    umask(Mode::from_raw_mode(UMASK));
}

/// A program of the closed list.
pub(super) fn of_list(call: &Call) -> io::Result<Command> {
    let program = found(call.candidates())?;
    let mut command = process::clean(&program, &call.path());
    command.args(call.args()).env("HOME", "/root");
    Ok(command)
}

/// A program that looks at a package of the vendor's: one of `package::signature::Programs`.
pub(crate) fn of_packages(program: &Path, arguments: &[OsString]) -> Command {
    let mut command = process::clean(program, SYSTEM_PATH);
    command.args(arguments);
    command
}

fn found(candidates: &[PathBuf]) -> io::Result<PathBuf> {
    // With one candidate, the system says best what is wrong with it.
    if let [only] = candidates {
        return Ok(only.clone());
    }
    let there = candidates.iter().find(|candidate| candidate.is_file()).cloned();
    there.ok_or_else(|| {
        let all: Vec<_> = candidates.iter().map(|candidate| candidate.display().to_string()).collect();
        io::Error::new(io::ErrorKind::NotFound, format!("there is none of {}", all.join(", ")))
    })
}

/// `./install.sh`, which "must be started from inside the extracted directory" (fact sheet §5.4), with all its output into
/// one file. Colours are printed for known terminals only (§5.4).
pub fn installer(tree: &Path, args: &[String], output: File) -> io::Result<Command> {
    let errors = output.try_clone()?;
    set_umask();
    let mut command = process::clean("./install.sh", SYSTEM_PATH);
    command.args(args).current_dir(tree).env("HOME", "/root").process_group(0);
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    Ok(command)
}

/// How the agent's own program is started as an op runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpRunner {
    /// It starts another one that outlives it, and ends.
    Detaching,
    /// It runs the installer.
    Running,
}

/// The agent's own program as the op runner of a step: this very one, also when its file was replaced meanwhile by that of
/// a newer package, unless another is named. Of the agent's environment it gets what says how much is logged.
pub fn op_runner(program: Option<&Path>, config: &Path, step: &StepId, how: OpRunner) -> Command {
    let mut command = process::clean(program.unwrap_or(Path::new("/proc/self/exe")), SYSTEM_PATH);
    command.envs(std::env::var_os("RUST_LOG").map(|filter| ("RUST_LOG", filter)));
    command.args([OsStr::new("--config"), config.as_os_str(), OsStr::new("run-op")]);
    if how == OpRunner::Detaching {
        command.arg("--detach");
    }
    command.arg(step.as_str()).stdin(Stdio::null());
    command
}
