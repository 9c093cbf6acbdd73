//! The programs that archives are compared with.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a program can be run here. If not, that is said loudly; in CI nothing that could be installed may be missing.
///
/// # Panics
/// In CI, where it is not installed.
pub fn available(program: &str, package: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = asked.is_ok_and(|status| status.success());
    assert!(there || std::env::var_os("CI").is_none(), "{program} is not installed");
    if !there {
        eprintln!("SKIPPED, so nothing is proven: {program} is not installed (apt-get install {package})");
    }
    there
}

pub fn has_tar() -> bool {
    available("tar", "tar")
}

pub fn has_bsdtar() -> bool {
    available("bsdtar", "libarchive-tools")
}

pub fn has_python() -> bool {
    available("python3", "python3")
}

/// Runs a command in a directory; what it said if it failed.
pub fn run(dir: &Path, program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{program} {args:?}: {said}")) }
}
