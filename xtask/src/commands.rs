//! Running programs, loudly.

use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, ensure};

/// Cargo, the one that runs this task. What it starts finds the system's own programs, too.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    if let Ok(path) = std::env::join_paths(places) {
        cargo.env("PATH", path);
    }
    cargo
}

/// Says what is run, runs it, and gives its status.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    eprintln!("$ {}", line(command));
    command.status().with_context(|| format!("`{}` cannot be started", line(command)))
}

/// Runs something that must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    ensure!(status.success(), "`{}` failed: {status}", line(command));
    Ok(())
}

/// The status as an exit code of our own; death by a signal is a failure.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(code) => ExitCode::from(code),
        None => ExitCode::FAILURE,
    }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
