//! The programs that look at packages: a closed list, by absolute path, with arguments of our own, nothing of the
//! caller's environment, and limits.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto::process::{self, Ending, Keep, Limits};

use crate::host::starts;

/// A package of a GB is read within seconds.
const LIMITS: Limits =
    Limits { time: Duration::from_secs(600), stdout: 256 << 10, stderr: Keep::End(4 << 10) };

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Checks signatures of OpenPGP.
    pub(super) gpgv: PathBuf,
    /// Checks signatures of RPM packages.
    pub(super) rpmkeys: PathBuf,
    /// Reads RPM packages.
    pub(super) rpm: PathBuf,
    /// Reads Debian packages.
    pub(super) dpkg_deb: PathBuf,
}

impl Programs {
    /// The system's own.
    pub fn of_the_system() -> Self {
        let bin = |name| Path::new("/usr/bin").join(name);
        Self { gpgv: bin("gpgv"), rpmkeys: bin("rpmkeys"), rpm: bin("rpm"), dpkg_deb: bin("dpkg-deb") }
    }
}

/// What a program said.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended by itself with status 0.
    pub well: bool,
    /// Its standard output.
    pub stdout: String,
    /// How it ended, with the end of its standard error; for people.
    pub ending: String,
}

/// Runs a program to its end.
pub async fn run<const N: usize>(program: &Path, arguments: [OsString; N]) -> Said {
    let ran = process::run(starts::of_packages(program, &arguments), None, LIMITS).await;
    let (well, how) = match ran.ending {
        Ending::Ended(status) => (status.success(), status.to_string()),
        Ending::Overdue => (false, "killed when its time was up".to_owned()),
        Ending::TooMuch => (false, "killed because it printed too much".to_owned()),
        Ending::NotStarted(error) | Ending::Lost(error) => (false, error.to_string()),
    };
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let ending = format!("{} ended with {how}: {}", program.display(), last.escape_debug());
    Said { well, stdout: String::from_utf8_lossy(&ran.stdout).into_owned(), ending }
}
