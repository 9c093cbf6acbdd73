//! The version that a package says of itself: a published checksum proves the bytes, not the version (fact sheet §1.6).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use proto::Version;

use super::programs::run;
use super::{Job, Kind, ar, deb};
use crate::package::contents::leading_version;

/// A control file has a few KiB.
const LONGEST: u64 = 1 << 20;

/// The version inside a package, or why it cannot be told.
pub async fn inside(file: &Path, kind: Kind, job: &Job<'_>) -> io::Result<Result<Version, String>> {
    let said = match kind {
        Kind::Deb => match of_control(file)? {
            Some(said) => Ok(said),
            None => {
                let arguments = ["--field".into(), file.into(), "Version".into()];
                asked(&job.programs.dpkg_deb, arguments).await
            }
        },
        Kind::Rpm => {
            let database = super::rpm::fresh(&job.scratch.join("none"))?;
            let arguments = [
                "--dbpath".into(),
                database.into(),
                "-qp".into(),
                "--nosignature".into(),
                "--qf".into(),
                "%{VERSION}-%{RELEASE}\n".into(),
                file.into(),
            ];
            asked(&job.programs.rpm, arguments).await
        }
        Kind::Neither => Err("it is neither a Debian nor an RPM package".to_owned()),
    };
    Ok(said.and_then(|said| {
        leading_version(&said).ok_or_else(|| format!("it calls itself `{}`", said.escape_debug()))
    }))
}

async fn asked<const N: usize>(program: &Path, arguments: [std::ffi::OsString; N]) -> Result<String, String> {
    if !program.exists() {
        return Err(format!("there is no {} on this node", program.display()));
    }
    let said = run(program, arguments).await;
    if said.well { Ok(said.stdout.trim().to_owned()) } else { Err(said.ending) }
}

/// The version in a control file that is plain or packed with gzip; `None` leaves it to the system's own program.
fn of_control(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let Ok(members) = ar::members(&mut file) else { return Ok(None) };
    let Some(member) = members.iter().find(|member| member.name.starts_with("control.tar")) else {
        return Ok(None);
    };
    let content = deb::bytes_of(&mut file, member)?;
    let unpacked: Box<dyn Read + '_> = match member.name.as_str() {
        "control.tar.gz" => Box::new(MultiGzDecoder::new(content)),
        "control.tar" => Box::new(content),
        _ => return Ok(None),
    };
    Ok(control(unpacked.take(LONGEST)).as_deref().and_then(version_field))
}

fn control(archive: impl Read) -> Option<String> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let name = entry.path_bytes();
        if matches!(name.as_ref(), b"control" | b"./control") {
            let mut text = String::new();
            entry.read_to_string(&mut text).ok()?;
            return Some(text);
        }
    }
    None
}

/// Exactly one line may say it.
fn version_field(control: &str) -> Option<String> {
    let mut lines = control.lines().filter_map(|line| line.strip_prefix("Version:"));
    let only = lines.next()?.trim().to_owned();
    lines.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_says_the_version() {
        assert_eq!(version_field("Package: redislabs\nVersion: 7.4.6-22~jammy\n").unwrap(), "7.4.6-22~jammy");
        assert_eq!(version_field("Version: 1\nVersion: 2\n"), None);
        assert_eq!(version_field(" Version: 1\nX-Version: 2\n"), None);
        assert_eq!(leading_version("7.4.6-22~jammy"), Some(Version::new(7, 4, 6, 22)));
        assert_eq!(leading_version("7.4.6-22"), Some(Version::new(7, 4, 6, 22)));
        assert_eq!(leading_version("7.4.6-22.rhel9"), Some(Version::new(7, 4, 6, 22)));
        assert_eq!(leading_version("1:7.4.6-22"), None);
    }
}
