//! Unpacking with a reader and a policy of our own: only plain files and directories below the tree are written. Whatever
//! else an archive holds, or says in a way that another program might read otherwise, is refused by name, and nothing is
//! left behind.

mod header;
mod limits;
mod members;
mod pax;
mod place;
mod policy;
mod reason;
mod source;
mod taking;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use limits::Limits;
use place::{Below, Nowhere};
use proto::{Failure, Sha256, Version};
pub use reason::{Reason, Refused};
use taking::take;

use super::contents::check_contents;
use super::hash::Hashing;
use super::manifest::{Entry, Manifest, TREE};
use crate::durable::{self, Disk, StateError};
use crate::failures;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be read, or not be decompressed.
    #[error("the archive cannot be read further than to entry `{entry}`")]
    Unreadable {
        /// The last entry that was seen.
        entry: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something that is not allowed.
    #[error("the archive holds something that is not allowed")]
    Refused(#[source] Refused),
    /// Its bytes are not those of the plan any more.
    #[error("the archive's SHA-256 is {actual}, and the plan names {expected}")]
    Digest {
        /// What the plan names.
        expected: Sha256,
        /// What was read.
        actual: Sha256,
    },
    /// It is not the package that the plan means.
    #[error("{0}")]
    Contents(Box<Failure>),
    /// The tree cannot be written.
    #[error("the unpacked files cannot be written")]
    State(#[from] StateError),
    /// Somebody asked to stop.
    #[error("stopped on request")]
    Stopped,
}

impl UnpackError {
    /// The error as data for the coordinator.
    pub fn failure(self) -> Box<Failure> {
        let message = "the package was not unpacked";
        let cause = failures::chain(&self);
        let operator = |id, remedy: &str| Box::new(Failure::operator(id, message, remedy).because(&*cause));
        let bad_archive = || {
            operator("bad-archive", "check the archive; if it is damaged, get it again and correct the plan")
        };
        match self {
            Self::Unreadable { .. } => bad_archive(),
            Self::Refused(refused) if refused.reason.is_damage() => bad_archive(),
            Self::Refused(refused) if refused.reason.is_limit() => {
                let remedy = "if the archive is the vendor's own, raise the limit in [archive] of agent.toml";
                operator("archive-too-large", remedy)
            }
            Self::Refused(_) => operator("refused-entry", "do not use this archive; get the vendor's own"),
            Self::Digest { .. } => operator("digest-mismatch", "run the step again: it is fetched again"),
            Self::Contents(failure) => failure,
            Self::State(error) => error.into(),
            Self::Stopped => Box::new(Failure::bug(message).because(cause)),
        }
    }
}

/// One archive to unpack.
#[derive(Clone, Copy, Debug)]
pub struct Unpacking<'a> {
    /// The archive.
    pub archive: &'a Path,
    /// What its bytes must hash to.
    pub package: Sha256,
    /// The version that must be inside.
    pub version: Version,
    /// The directory to make; it must not exist.
    pub into: &'a Path,
    /// What it may not exceed.
    pub limits: Limits,
    /// Where what completes it is written.
    pub disk: &'a Disk,
}

/// Told now and then how many bytes of the archive were read; answers whether to go on.
pub type Progress<'a> = &'a dyn Fn(u64) -> bool;

/// What an archive would be unpacked to. All that [`unpack`] refuses of the archive itself is refused; nothing is written.
///
/// # Errors
/// [`UnpackError`], but neither of the disk nor of the plan.
pub fn survey(reader: impl Read, limits: Limits) -> Result<BTreeMap<String, Entry>, UnpackError> {
    take(reader, limits, &|_| true, Nowhere)
}

/// Unpacks an archive into a fresh directory, `tree` and `manifest.json` in it. Blocks.
///
/// # Errors
/// [`UnpackError`]; then the directory does not exist.
pub fn unpack(job: Unpacking<'_>, progress: Progress<'_>) -> Result<Manifest, UnpackError> {
    let half_done = job.into.with_extension("half-done");
    durable::remove(&half_done)?;
    durable::remove(job.into)?;
    let made = unpack_into(&half_done, job, progress)
        .and_then(|manifest| job.disk.rename(&half_done, job.into).map(|()| manifest).map_err(Into::into));
    if made.is_err() {
        durable::remove(&half_done)?;
    }
    made
}

fn unpack_into(dir: &Path, job: Unpacking<'_>, progress: Progress<'_>) -> Result<Manifest, UnpackError> {
    let tree = dir.join(TREE);
    job.disk.make_private_dir(&tree)?;
    let mut archive = Hashing::new(File::open(job.archive).map_err(StateError::io("open", job.archive))?);
    let taken = take(&mut archive, job.limits, progress, Below::open(&tree)?);
    if !matches!(taken, Err(UnpackError::State(_) | UnpackError::Stopped)) {
        check_digest(archive, job)?;
    }
    let manifest = manifest(taken?, job)?;
    manifest.write(job.disk, dir)?;
    durable::sync_parent(&tree)?;
    Ok(manifest)
}

/// The digest covers the whole archive, and is asked for even if that was refused: what is not the plan's archive says
/// nothing about the one that is.
fn check_digest(mut archive: Hashing<File>, job: Unpacking<'_>) -> Result<(), UnpackError> {
    io::copy(&mut archive, &mut io::sink()).map_err(StateError::io("read", job.archive))?;
    let (expected, actual) = (job.package, archive.finish());
    if actual == expected { Ok(()) } else { Err(UnpackError::Digest { expected, actual }) }
}

fn manifest(entries: BTreeMap<String, Entry>, job: Unpacking<'_>) -> Result<Manifest, UnpackError> {
    let is_top_file =
        |(path, entry): &(&String, &Entry)| matches!(entry, Entry::File { .. }) && !path.contains('/');
    let top_files = entries.iter().filter(is_top_file).map(|(path, _)| path.as_str());
    let (main_package, warnings) = check_contents(top_files, job.version).map_err(UnpackError::Contents)?;
    let authenticity = Vec::new();
    Ok(Manifest { package: job.package, version: job.version, main_package, warnings, authenticity, entries })
}

#[cfg(test)]
mod tests;
