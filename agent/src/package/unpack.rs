//! Unpacking with a policy of our own: `tar` only reads the format. Only plain files and directories below the tree are
//! written; anything else is refused by name and nothing is left behind.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use flate2::bufread::MultiGzDecoder;
use proto::{Failure, Sha256, Version};
use tar::EntryType;

use super::contents::check_contents;
use super::hash::{BUFFER, Hashing};
use super::manifest::{Entry, Manifest, TREE};
use crate::durable::{self, Disk, StateError};
use crate::failures;

/// What an archive may not exceed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files and directories.
    pub entries: usize,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Length of a path in bytes.
    pub path: usize,
    /// Directories above a file.
    pub depth: usize,
}

impl Default for Limits {
    /// The vendor's largest known archive has about 1 GB and some dozen entries (fact sheet §1.5).
    fn default() -> Self {
        Self { entries: 100_000, bytes: 20 << 30, path: 1024, depth: 32 }
    }
}

/// Why an entry was refused.
#[derive(Debug, thiserror::Error)]
#[error("entry `{entry}` {reason}")]
pub struct Refused {
    /// The entry's path as the archive has it.
    pub entry: String,
    /// Why.
    pub reason: String,
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive cannot be read as one.
    #[error("the archive cannot be read")]
    Archive(#[source] io::Error),
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
        match self {
            Self::Archive(_) => {
                operator("bad-archive", "check the archive; if it is damaged, fetch it again")
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
    let tree_dir =
        Dir::open_ambient_dir(&tree, ambient_authority()).map_err(StateError::io("open", &tree))?;
    let file = File::open(job.archive).map_err(UnpackError::Archive)?;
    let mut archive = Hashing::new(file);
    let mut writer =
        Writer { tree: tree_dir, limits: job.limits, entries: BTreeMap::new(), bytes: 0, progress };
    writer.read(&mut archive)?;
    // The digest covers the whole archive, also what follows the end mark.
    io::copy(&mut archive, &mut io::sink()).map_err(UnpackError::Archive)?;
    let actual = archive.finish();
    if actual != job.package {
        return Err(UnpackError::Digest { expected: job.package, actual });
    }
    let manifest = manifest(writer.entries, job)?;
    manifest.write(job.disk, dir)?;
    durable::sync_parent(&tree)?;
    Ok(manifest)
}

fn manifest(entries: BTreeMap<String, Entry>, job: Unpacking<'_>) -> Result<Manifest, UnpackError> {
    let is_top_file =
        |(path, entry): &(&String, &Entry)| matches!(entry, Entry::File { .. }) && !path.contains('/');
    let top_files = entries.iter().filter(is_top_file).map(|(path, _)| path.as_str());
    let (main_package, warnings) = check_contents(top_files, job.version).map_err(UnpackError::Contents)?;
    Ok(Manifest { package: job.package, version: job.version, main_package, warnings, entries })
}

/// Writes entries below one directory, which it cannot leave.
struct Writer<'a> {
    tree: Dir,
    limits: Limits,
    entries: BTreeMap<String, Entry>,
    bytes: u64,
    progress: Progress<'a>,
}

impl Writer<'_> {
    fn read(&mut self, archive: &mut Hashing<File>) -> Result<(), UnpackError> {
        let mut buffered = BufReader::with_capacity(BUFFER, archive);
        let is_gzip = buffered.fill_buf().map_err(UnpackError::Archive)?.starts_with(&[0x1f, 0x8b]);
        if is_gzip {
            let unzipped = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(buffered));
            self.read_entries(&mut tar::Archive::new(unzipped))
        } else {
            self.read_entries(&mut tar::Archive::new(buffered))
        }
    }

    fn read_entries(&mut self, archive: &mut tar::Archive<impl Read>) -> Result<(), UnpackError> {
        for entry in archive.entries().map_err(UnpackError::Archive)? {
            let mut entry = entry.map_err(UnpackError::Archive)?;
            let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let refuse = |reason: String| UnpackError::Refused(Refused { entry: shown.clone(), reason });
            let path = self.allowed_path(&entry.path_bytes()).map_err(refuse)?;
            match entry.header().entry_type() {
                EntryType::Directory => self.make_dir(&path).map_err(refuse)?,
                EntryType::Regular => {
                    self.refuse_existing(&path).map_err(refuse)?;
                    let mode = entry.header().mode().map_err(UnpackError::Archive)?;
                    let size = entry.size();
                    self.write_file(&path, mode, size, &mut entry)?;
                }
                other => {
                    return Err(refuse(format!("is neither a plain file nor a directory but {other:?}")));
                }
            }
        }
        Ok(())
    }

    /// The path in its plain form, or why it is not allowed. Only an empty one (`./`) names the tree itself.
    fn allowed_path(&self, raw: &[u8]) -> Result<String, String> {
        let text = std::str::from_utf8(raw).map_err(|_| "has a name that is not UTF-8".to_owned())?;
        if text.len() > self.limits.path || text.contains('\0') {
            return Err(format!("has a name longer than {} bytes, or a NUL in it", self.limits.path));
        }
        let mut parts = Vec::new();
        for component in Path::new(text).components() {
            match component {
                Component::Normal(part) => parts.push(part.to_string_lossy()),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err("leads out of the directory".to_owned());
                }
            }
        }
        if parts.len() > self.limits.depth {
            return Err(format!("lies more than {} directories deep", self.limits.depth));
        }
        if self.entries.len() >= self.limits.entries {
            return Err(format!("is one more than the {} entries allowed", self.limits.entries));
        }
        Ok(parts.join("/"))
    }

    fn refuse_existing(&self, path: &str) -> Result<(), String> {
        if path.is_empty() {
            return Err("has no name".to_owned());
        }
        if self.entries.contains_key(path) {
            return Err("occurs twice".to_owned());
        }
        Ok(())
    }

    /// Makes a directory and those above it. One that was made because a file lies in it may be named later.
    fn make_dir(&mut self, path: &str) -> Result<(), String> {
        let mut above = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            above = if above.is_empty() { part.to_owned() } else { format!("{above}/{part}") };
            match self.entries.get(&above) {
                Some(Entry::Directory) => continue,
                Some(Entry::File { .. }) => return Err(format!("lies below `{above}`, which is a file")),
                None => {}
            }
            let made = self.tree.create_dir_with(&above, DirBuilder::new().mode(0o755));
            made.map_err(|error| format!("cannot be made: {error}"))?;
            self.entries.insert(above.clone(), Entry::Directory);
        }
        Ok(())
    }

    fn write_file(
        &mut self,
        path: &str,
        mode: u32,
        size: u64,
        content: &mut impl Read,
    ) -> Result<(), UnpackError> {
        let refuse = |reason: String| UnpackError::Refused(Refused { entry: path.to_owned(), reason });
        if let Some((above, _)) = path.rsplit_once('/') {
            self.make_dir(above).map_err(refuse)?;
        }
        if self.bytes.saturating_add(size) > self.limits.bytes {
            return Err(refuse(format!("exceeds the {} bytes allowed in all", self.limits.bytes)));
        }
        let mode = if path == "install.sh" || mode & 0o111 != 0 { 0o755 } else { 0o644 };
        let failed = |error| UnpackError::State(StateError::io("write", Path::new(path))(error));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut file = self.tree.open_with(path, &options).map_err(failed)?;
        file.set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
        let sha256 = self.copy(path, size, content, &mut file)?;
        file.sync_all().map_err(failed)?;
        self.entries.insert(path.to_owned(), Entry::File { size, mode, sha256 });
        Ok(())
    }

    fn copy(
        &mut self,
        path: &str,
        size: u64,
        content: &mut impl Read,
        file: &mut impl Write,
    ) -> Result<Sha256, UnpackError> {
        let mut content = Hashing::new(content);
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = content.read(&mut buffer).map_err(UnpackError::Archive)?;
            if read == 0 {
                break;
            }
            let written = file.write_all(&buffer[..read]);
            written.map_err(StateError::io("write", Path::new(path)))?;
            self.bytes += read as u64;
            if !(self.progress)(self.bytes) {
                return Err(UnpackError::Stopped);
            }
        }
        if content.count() != size {
            let reason = format!("has {} bytes instead of {size}", content.count());
            return Err(UnpackError::Refused(Refused { entry: path.to_owned(), reason }));
        }
        Ok(content.finish())
    }
}

#[cfg(test)]
mod tests;
