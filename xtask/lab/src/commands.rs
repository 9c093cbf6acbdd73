//! Running the system's own tools.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Runs a program that must succeed; what it prints.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, args: &[A]) -> Result<String> {
    let line = || {
        let words = args.iter().map(|word| word.as_ref().to_string_lossy().into_owned());
        std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    };
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{}` cannot be started", line()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{}` failed: {}", line(), errors.trim());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The same, with the words of one line.
pub(crate) fn line(words: &str) -> Result<String> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let (program, args) = words.split_first().context("an empty command line")?;
    run(program, args)
}
