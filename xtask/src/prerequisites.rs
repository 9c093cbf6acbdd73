//! What the machine must have, and how it gets it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::commands::{cargo, run};

/// Real shards for the simulated cluster.
pub const REDIS: Program = Program { name: "redis-server", package: "redis-server" };
/// What the example scripts read JSON with.
pub const JQ: Program = Program { name: "jq", package: "jq" };
/// A C compiler, for the cryptography and SQLite that are built from source.
pub const C_COMPILER: Program = Program { name: "cc", package: "gcc libc6-dev" };
/// `aws-lc-sys` is built with it.
pub const MAKE: Program = Program { name: "make", package: "make" };
/// Boots the nodes of the lab.
pub const NSPAWN: Program = Program { name: "systemd-nspawn", package: "systemd-container" };
/// Judges the units that are shipped.
pub const ANALYZE: Program = Program { name: "systemd-analyze", package: "systemd" };
/// Joins the nodes of the lab to a network of their own.
pub const IP: Program = Program { name: "ip", package: "iproute2" };
/// Makes the disks of such nodes.
pub const MKFS: Program = Program { name: "mkfs.ext4", package: "e2fsprogs" };
/// Carries the agent's words to the systemd of such a node.
pub const DBUS: Program = Program { name: "dbus-daemon", package: "dbus" };
/// Signs catalogues and packages in tests.
pub const GNUPG: Program = Program { name: "gpg", package: "gnupg" };
/// Verifies what is in a `.deb`.
pub const GPGV: Program = Program { name: "gpgv", package: "gpgv" };
/// Verifies an `.rpm`.
pub const RPM: Program = Program { name: "rpm", package: "rpm" };
/// Signs the catalogue, as its owner does.
pub const MINISIGN: Program = Program { name: "minisign", package: "minisign" };
/// Opens a `.deb`.
pub const AR: Program = Program { name: "ar", package: "binutils" };
/// libFuzzer is built with it.
pub const CXX_COMPILER: Program = Program { name: "c++", package: "g++" };

/// The database of coordinators that stand by for each other.
pub const POSTGRES: Program = Program { name: "postgres", package: "postgresql" };

/// What the agent's reader of archives is compared with, besides `tar`.
pub const BSDTAR: Program = Program { name: "bsdtar", package: "libarchive-tools" };
/// Writes archives in dialects of its own.
pub const PYTHON: Program = Program { name: "python3", package: "python3" };

/// A program and the Debian packages that bring it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    name: &'static str,
    package: &'static str,
}

/// Installs what is missing, with Debian's packages.
pub fn ensure(programs: &[Program]) -> Result<()> {
    let missing: Vec<&Program> = programs.iter().filter(|program| !is_there(program.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|program| program.package.split(' ')).collect();
    if !is_there("apt-get") {
        bail!("{} are missing and there is no apt-get: install them", packages.join(", "));
    }
    run(as_root("apt-get").args(["update", "-q"]))?;
    run(as_root("apt-get").args(["install", "-y", "-q", "--no-install-recommends"]).args(&packages))
        .with_context(|| format!("install {} by hand and try again", packages.join(", ")))
}

/// A program of Cargo's, built from source if it is not there.
pub fn ensure_cargo(program: &str) -> Result<()> {
    if is_there(program) {
        return Ok(());
    }
    run(cargo().args(["install", "--locked", program]))
}

fn as_root(program: &str) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0"));
    let mut command = if root { Command::new(program) } else { Command::new("sudo") };
    if !root {
        command.arg(program);
    }
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_there(program: &str) -> bool {
    let cargo_home =
        env::var_os("CARGO_HOME").map(Into::into).or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(cargo_home.map(|home| home.join("bin")));
    let mut places = places.chain(std::iter::once(Path::new("/usr/sbin").to_owned())).chain(databases());
    places.any(|place| place.join(program).is_file())
}

/// Where Debian keeps the database's programs, which are in no path.
fn databases() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}
