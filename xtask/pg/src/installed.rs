//! The database's programs on this machine, and as whom they run.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The superuser of every server.
pub const USER: &str = "ratchet";
/// His password. Over TCP it is asked for; it means nothing outside a test.
pub const PASSWORD: &str = "let-me-in-4711";

/// The Unix user of the database's Debian package. The programs refuse to run as root.
const OWNER: &str = "postgres";
const VERSIONS: &str = "/usr/lib/postgresql";

/// Whether servers can be started here. If not, that is said loudly; in CI nothing that could be installed may be missing.
///
/// # Panics
/// In CI, where PostgreSQL is not installed.
pub fn available(test: &str) -> bool {
    let there = bin().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "{test}: PostgreSQL is not installed");
    if !there {
        eprintln!(
            "SKIPPED, so nothing is proven: {test}: PostgreSQL is not installed (apt-get install postgresql)"
        );
    }
    there
}

/// The directory with the programs of the newest version.
fn bin() -> Result<PathBuf> {
    let version = |path: &Path| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let versions = fs::read_dir(VERSIONS).with_context(|| format!("{VERSIONS}: install `postgresql`"))?;
    let versions = versions.flatten().map(|entry| entry.path());
    let usable = versions.filter(|path| path.join("bin/postgres").is_file());
    let newest = usable.max_by_key(|path| version(path)).context("no version of PostgreSQL is installed")?;
    Ok(newest.join("bin"))
}

/// A program of the database, to be run by somebody who may; it ends with the thread that started it.
pub(crate) fn program(name: &str) -> Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if owner()?.is_some() {
        command.args(["--reuid", OWNER, "--regid", OWNER, "--clear-groups"]);
    }
    command.arg("--").arg(bin()?.join(name)).stdin(Stdio::null()).current_dir("/");
    Ok(command)
}

/// Runs a program of the database that must succeed.
pub(crate) fn run<A: AsRef<OsStr>>(name: &str, args: &[A]) -> Result<()> {
    let output = program(name)?.args(args).output().with_context(|| format!("`{name}` cannot be started"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{name}` failed: {}", said.trim());
    Ok(())
}

/// A new directory that the database may use. Not below `TMPDIR`: paths of sockets must be short.
pub(crate) fn directory() -> Result<tempfile::TempDir> {
    let directory = tempfile::Builder::new().prefix("ratchet-pg-").tempdir_in("/tmp")?;
    give(directory.path())?;
    Ok(directory)
}

/// Gives a file to whom the servers run as.
pub(crate) fn give(path: &Path) -> Result<()> {
    let Some((uid, gid)) = owner()? else { return Ok(()) };
    chown(path, Some(uid), Some(gid)).with_context(|| format!("cannot give {} to {OWNER}", path.display()))
}

/// User and group of the servers where they cannot be our own.
fn owner() -> Result<Option<(u32, u32)>> {
    if !rustix::process::getuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with(&format!("{OWNER}:")));
    let fields: Vec<&str> = line.with_context(|| format!("there is no user {OWNER}"))?.split(':').collect();
    ensure!(fields.len() > 3, "/etc/passwd is damaged");
    Ok(Some((fields[2].parse()?, fields[3].parse()?)))
}
