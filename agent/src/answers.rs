//! The answer file that `install.sh -c FILE` obeys as root: believed only if nobody but root could have written it, and
//! only as it was when the installation was ordered.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use proto::ours::{NotOurs, Sticky, only_ours};
use proto::{Failure, Sha256};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::config::{Config, answer_file};
use crate::durable::{self, Disk};

/// Beside an order, says which answers it was given with.
const FILE: &str = "answers.json";
/// No answer file is longer; one that is was named by mistake.
const LONGEST: u64 = 1 << 20;

/// An answer file that may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// The file, as the configuration names it.
    pub path: String,
    /// What is in it.
    pub sha256: Sha256,
}

/// The configured answer file, if there is one, as it is now. Blocks.
///
/// # Errors
/// The reason why it must not be used.
pub fn checked(config: &Config) -> Result<Option<Answers>, Box<Failure>> {
    let Some(path) = answer_file(&config.install_args) else { return Ok(None) };
    // A stand-in node for tests may lie in a temporary directory, a real one's answers may not.
    let sticky = if config.root == Path::new("/") { Sticky::Refused } else { Sticky::Accepted };
    let own = rustix::process::geteuid().as_raw();
    let place = only_ours(path, own, sticky).map_err(|error| refused(path, error))?;
    let sha256 = digest(&place, own).map_err(|error| refused(path, error))?;
    Ok(Some(Answers { path: path.display().to_string(), sha256 }))
}

/// Proves it and writes down, beside the order in this directory, what it says: nobody can change it from here on.
///
/// # Errors
/// As [`checked`], or when the disk does not take it.
pub fn record(config: &Config, disk: &Disk, dir: &Path) -> Result<(), Box<Failure>> {
    match checked(config)? {
        Some(answers) => Ok(disk.write_json(&dir.join(FILE), &answers)?),
        None => Ok(()),
    }
}

/// Proves it again, and that it is what was written down.
///
/// # Errors
/// As [`checked`], or when it has changed.
pub fn unchanged(config: &Config, dir: &Path) -> Result<(), Box<Failure>> {
    let Some(now) = checked(config)? else { return Ok(()) };
    let known: Option<Answers> = durable::read_json(&dir.join(FILE))?;
    if known.is_some_and(|known| known == now) {
        return Ok(());
    }
    let message = format!("the answer file {} has changed since the installation was ordered", now.path);
    let remedy = "see that it is as it should be, then `ratchet retry`";
    Err(Box::new(Failure::operator("answers-changed", message, remedy)))
}

fn refused(path: &Path, NotOurs { reason, remedy }: NotOurs) -> Box<Failure> {
    let message = format!(
        "the answer file {} must not be used: whoever can change it decides what root does",
        path.display()
    );
    let remedy = format!("{remedy}; then `ratchet retry`");
    Box::new(Failure::operator("answers-unsafe", message, remedy).because(reason))
}

/// The digest of a file that was found to be ours, looked at once more as it was opened: what is behind a path may be
/// another thing meanwhile.
fn digest(place: &Path, own: u32) -> Result<Sha256, NotOurs> {
    let unreadable = |error: io::Error| NotOurs {
        reason: format!("{} cannot be read: {error}", place.display()),
        remedy: format!("see to it: ls -l {}", place.display()),
    };
    let file = open(place).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let ours = metadata.uid() == 0 || metadata.uid() == own;
    if !metadata.is_file() || !ours || metadata.mode() & 0o022 != 0 || metadata.len() > LONGEST {
        let reason = format!("{} is no file of root's with at most {LONGEST} bytes", place.display());
        let remedy = "name a file that holds answers, such as /etc/ratchet/answers".to_owned();
        return Err(NotOurs { reason, remedy });
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Sha256::of(&bytes))
}

/// A pipe would hold whoever opens it, and a link is none that was followed before.
fn open(place: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(place)
}

#[cfg(test)]
mod tests;
