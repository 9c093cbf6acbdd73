//! How a program ended, as values.

use std::process::ExitStatus;

use proto::ProgramFailure;

use crate::parse::strip_ansi;

/// Lines of output kept in a failure.
const TAIL_LINES: usize = 20;
/// Characters kept of each.
const TAIL_WIDTH: usize = 300;

/// What a program that ended by itself printed.
#[derive(Clone, Debug)]
pub struct Output {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with status 0.
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// The output as a failure, for those who find it to be one.
    pub fn failure(&self) -> ProgramFailure {
        failure(self.argv.clone(), self.status.to_string(), &self.stdout, &self.stderr)
    }
}

pub(super) fn failure(argv: Vec<String>, status: String, stdout: &str, stderr: &str) -> ProgramFailure {
    let (stdout, stderr) = (strip_ansi(stdout), strip_ansi(stderr));
    let lines = stdout.lines().chain(stderr.lines()).map(str::trim_end).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| line.chars().take(TAIL_WIDTH).collect()).collect();
    let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec();
    ProgramFailure { argv, status, tail }
}
