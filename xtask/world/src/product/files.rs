//! The files that an agent reads on its node, and the packages it fetches.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proto::{Sha256, Version};
use sim::{PackageSpec, build_package};
use tempfile::TempDir;

/// Where the installed version is recorded, relative to a root.
const VERSION: &str = "etc/opt/redislabs/redislabs_custom_install_version";

const ENV_CONFIG: &str = "installdir=/opt/redislabs\nconfdir=/etc/opt/redislabs\nlogdir=/var/opt/redislabs/log\n\
    osuser=redislabs\nosgroup=redislabs\n";

const OS_RELEASE: &str =
    "ID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\nPRETTY_NAME=\"ubuntu 22.04\"\n";

/// Writes the files of a node.
///
/// # Errors
/// When they cannot be written.
pub fn write_root(root: &Path, uid: u32, version: Version) -> io::Result<()> {
    for folder in ["opt/redislabs/bin", "etc/opt/redislabs", "var/opt/redislabs/log", "tmp", "proc/net"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::write(root.join("opt/redislabs/bin/rladmin"), "")?;
    fs::write(root.join("etc/opt/redislabs/node.id"), format!("{uid}\n"))?;
    fs::write(root.join("etc/opt/redislabs/redislabs_env_config.sh"), ENV_CONFIG)?;
    fs::write(root.join("etc/os-release"), OS_RELEASE)?;
    // The machine's own would cost more time than everything else together, and differ from day to day.
    for table in ["tcp", "tcp6"] {
        fs::write(root.join("proc/net").join(table), "  sl  local_address rem_address   st\n")?;
    }
    write_version(root, version)
}

pub(super) fn write_version(root: &Path, version: Version) -> io::Result<()> {
    fs::write(root.join(VERSION), format!("{version}\n"))
}

pub(super) fn version_on_disk(root: &Path) -> io::Result<Version> {
    let text = fs::read_to_string(root.join(VERSION))?;
    text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// A package that nodes can fetch.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its version.
    pub version: Version,
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// Packages for all worlds of a process: made once, never changed.
#[derive(Debug)]
pub struct Packages {
    all: Vec<Package>,
    dir: TempDir,
}

impl Packages {
    /// Builds a small package of each version.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn build(versions: &[Version]) -> Result<Self> {
        let dir = memory_dir()?;
        let package = |version: &Version| {
            let spec = PackageSpec { payload_bytes: 512, ..PackageSpec::new(*version) };
            let path = build_package(dir.path(), &spec)?;
            let bytes = fs::read(&path)?;
            Ok(Package { version: *version, sha256: Sha256::of(&bytes), size: bytes.len() as u64, path })
        };
        let all = versions.iter().map(package).collect::<Result<_>>()?;
        Ok(Self { all, dir })
    }

    /// Where they lie.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// All of them.
    pub fn all(&self) -> &[Package] {
        &self.all
    }
}

/// A directory that lives in memory where the machine has such a place, and goes with the value.
///
/// # Errors
/// When none can be made.
pub fn memory_dir() -> Result<TempDir> {
    let shm = Path::new("/dev/shm");
    let made =
        if shm.is_dir() { TempDir::with_prefix_in("world-", shm) } else { TempDir::with_prefix("world-") };
    made.context("no directory for a world can be made")
}
