//! Finding the workspace's own programs beside the running one, and building them when they are missing or out of date.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs, io};

/// Why a program cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// The running program is not in a target directory.
    #[error("{0} is not in a cargo target directory; run it with `cargo run` or `cargo test`")]
    NoTargetDirectory(PathBuf),
    /// Something could not be run or read.
    #[error("cannot find or build the program `{bin}`; try `cargo build -p {package} --bin {bin}`")]
    Io {
        /// The package.
        package: String,
        /// The program.
        bin: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The build failed.
    #[error("building the program `{bin}` failed; `cargo build -p {package} --bin {bin}` says why: {output}")]
    Build {
        /// The package.
        package: String,
        /// The program.
        bin: String,
        /// The last of what cargo said.
        output: String,
    },
}

/// The `ratchet-sim` program.
pub fn tool_binary() -> Result<PathBuf, BinaryError> {
    built_binary("sim", "ratchet-sim")
}

/// A program of this workspace, in the profile of the running one; built if it is missing or older than its sources.
pub fn built_binary(package: &str, bin: &str) -> Result<PathBuf, BinaryError> {
    let io = |source| BinaryError::Io { package: package.to_owned(), bin: bin.to_owned(), source };
    let running = env::current_exe().map_err(io)?;
    if running.file_name().is_some_and(|name| name == bin) {
        return Ok(running);
    }
    let profile_dir =
        profile_directory(&running).ok_or_else(|| BinaryError::NoTargetDirectory(running.clone()))?;
    let path = profile_dir.join(bin);
    if is_current(&path) {
        return Ok(path);
    }
    let output = build_command(profile_dir, package, bin).output().map_err(io)?;
    if output.status.success() {
        return Ok(path);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    let output = last.into_iter().rev().collect::<Vec<_>>().join(" / ");
    Err(BinaryError::Build { package: package.to_owned(), bin: bin.to_owned(), output })
}

/// `target/<profile>`, seen from a program or a test in it.
fn profile_directory(running: &Path) -> Option<&Path> {
    let dir = running.parent()?;
    let dir = if dir.file_name()? == "deps" { dir.parent()? } else { dir };
    dir.join(".fingerprint").is_dir().then_some(dir)
}

fn build_command(profile_dir: &Path, package: &str, bin: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "-p", package, "--bin", bin]);
    if profile_dir.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    if let Some(target) = profile_dir.parent() {
        command.arg("--target-dir").arg(target);
    }
    command
}

/// Whether a program exists and is newer than every source cargo recorded for it.
fn is_current(path: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    let Ok(built) = modified(path) else { return false };
    let Ok(record) = fs::read_to_string(path.with_extension("d")) else { return false };
    let older = |source: SystemTime| source <= built;
    sources(&record).all(|source| modified(Path::new(&source)).is_ok_and(older))
}

/// The right side of cargo's `program: source source …`.
fn sources(record: &str) -> impl Iterator<Item = String> + '_ {
    let escaped =
        record.split_once(": ").map(|(_, sources)| sources).unwrap_or_default().replace("\\ ", "\u{0}");
    let sources: Vec<String> =
        escaped.split_whitespace().map(|source| source.replace('\u{0}', " ")).collect();
    sources.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_with_blanks_are_read_back() {
        let found: Vec<String> = sources("/t/ratchet-sim: /a/b.rs /c\\ d/e.rs\n").collect();
        assert_eq!(found, ["/a/b.rs", "/c d/e.rs"]);
    }

    #[test]
    fn what_was_never_built_is_not_current() {
        assert!(!is_current(Path::new("/nonexistent/program")));
    }
}
