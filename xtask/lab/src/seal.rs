//! Sealing a test off: namespaces of its own for processes, mounts and network, which end when it does.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use tokio::signal::unix::SignalKind;

use crate::cgroups::{Cgroups, PREFIX};

/// Names the place of a test, inside the seal only.
const PLACE: &str = "RATCHET_LAB_PLACE";
/// What a test that ran to its end leaves in its place: a name that matches no test must not look like a success.
const ENDED: &str = "ended";
/// What a lab is made of.
const PROGRAMS: [&str; 12] = [
    "systemd-nspawn",
    "systemd-sysusers",
    "dbus-daemon",
    "bash",
    "unshare",
    "nsenter",
    "setpriv",
    "mount",
    "fsfreeze",
    "ip",
    "mkfs.ext4",
    "perl",
];

/// A test that failed inside its seal; what it said is in the test's output.
#[derive(Debug, thiserror::Error)]
#[error("{test} failed; the node's files and its console.log are kept in {place}")]
pub struct Failed {
    /// The test.
    pub test: String,
    /// Where its node's files are.
    pub place: PathBuf,
}

/// Runs the body of the test of this name, sealed off and in a fresh directory: this very program is started again for
/// it, as the first but one process of its namespaces. Where a node cannot be booted, the test says so and ends, or
/// fails where `CI` is set.
///
/// # Errors
/// [`Failed`], or whatever hindered the test.
pub fn sealed(test: &str, body: impl AsyncFnOnce(&Path) -> Result<()>) -> Result<()> {
    if let Some(place) = env::var_os(PLACE).map(PathBuf::from) {
        runtime()?.block_on(body(&place))?;
        return fs::write(place.join(ENDED), "").context("cannot say that the test has ended");
    }
    if let Some(reason) = missing() {
        ensure!(env::var_os("CI").is_none(), "{test} must run in CI, and cannot: {reason}");
    }
    if let Some(reason) = hindrance() {
        eprintln!("SKIPPED, so nothing is proven: {test}: {reason}");
        return Ok(());
    }
    let place = tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir()?;
    let name = place.path().file_name().context("a directory without a name")?.to_string_lossy();
    let _cgroups = Cgroups::make(&name)?;
    let arguments = [test, "--exact", "--nocapture"].map(Into::into);
    let status = inside(&arguments, place.path())?.status().context("cannot start the sealed test")?;
    if status.success() && place.path().join(ENDED).exists() {
        return Ok(());
    }
    bail!(Failed { test: test.to_owned(), place: place.keep() })
}

/// Runs the body of a program that a person started, sealed off in the same way, and with the same arguments. Beside its
/// place lies `enter`, which runs the place's `inside` within the seal. Ctrl-C is for the body alone.
///
/// # Errors
/// Whatever hindered it.
pub fn sealed_program(body: impl AsyncFnOnce(&Path) -> Result<()>) -> Result<()> {
    if let Some(place) = env::var_os(PLACE).map(PathBuf::from) {
        return runtime()?.block_on(body(&place));
    }
    if let Some(reason) = hindrance() {
        bail!("{reason}");
    }
    let place = tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir()?;
    let name = place.path().file_name().context("a directory without a name")?.to_string_lossy();
    let _cgroups = Cgroups::make(&name)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    runtime()?.block_on(async {
        // From here on Ctrl-C does not end this process.
        let mut interrupts = tokio::signal::unix::signal(SignalKind::interrupt())?;
        let mut sealed = tokio::process::Command::from(inside(&arguments, place.path())?).spawn()?;
        let process = sealed.id().context("it has ended already")?;
        write_enter(place.path(), process).await?;
        loop {
            tokio::select! {
                ended = sealed.wait() => {
                    ensure!(ended?.success(), "the lab failed");
                    return Ok(());
                }
                _ = interrupts.recv() => {}
            }
        }
    })
}

/// The seal's first process is the only child of the one that was started.
async fn write_enter(place: &Path, process: u32) -> Result<()> {
    let children = format!("/proc/{process}/task/{process}/children");
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let first = loop {
        looks.tick().await;
        let children = fs::read_to_string(&children).context("the seal is broken")?;
        if let Some(first) = children.split_whitespace().next() {
            break first.to_owned();
        }
    };
    let (enter, inside) = (place.join("enter"), place.join("inside"));
    let namespaces = "--mount --net --ipc --uts --pid";
    let script =
        format!("#!/bin/sh\nexec nsenter --target {first} {namespaces} {} \"$@\"\n", inside.display());
    fs::write(&enter, script)?;
    Ok(fs::set_permissions(&enter, fs::Permissions::from_mode(0o755))?)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// This program again, with these arguments. The shell is the first process of the namespace and reaps what is orphaned in it;
/// when this process dies, it dies, and all others with it.
fn inside(arguments: &[OsString], place: &Path) -> Result<Command> {
    let mut command = sealing();
    let script = "mount -t tmpfs -o mode=0755 run /run && \"$@\"; exit $?";
    command.args(["bash", "-c", script, "sealed"]).arg(env::current_exe()?);
    command.args(arguments).env(PLACE, place).stdin(Stdio::null());
    Ok(command)
}

fn sealing() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--net", "--ipc", "--uts", "--pid"]);
    command.args(["--fork", "--kill-child", "--mount-proc"]);
    command
}

/// Why no node can be booted here.
fn hindrance() -> Option<String> {
    missing().or_else(refused)
}

/// What can be had: the right user and programs. In CI nothing of it may be missing.
fn missing() -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&str| env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|name| !is_there(name)).collect();
    if !rustix::process::geteuid().is_root() {
        return Some("booting a node needs root".to_owned());
    }
    if !missing.is_empty() {
        return Some(format!(
            "{} not found; install systemd-container, dbus, iproute2, e2fsprogs and perl",
            missing.join(", ")
        ));
    }
    None
}

/// What only the machine below can give: namespaces, bridges and loop devices.
fn refused() -> Option<String> {
    if !Path::new("/dev/loop-control").exists() {
        return Some("there are no loop devices for the nodes' disks".to_owned());
    }
    let try_it = "ip link add name t0 type bridge && ip link add name t1 type veth peer name t2";
    let sealed = sealing().args(["sh", "-c", try_it]).output();
    let refused = sealed.map_or(true, |sealed| !sealed.status.success());
    refused.then(|| "this system refuses new namespaces or bridges, as unprivileged containers do".to_owned())
}
