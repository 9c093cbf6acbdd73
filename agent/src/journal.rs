//! Append-only files of JSON lines, each with its checksum. What an append returns for is on the disk.
//!
//! A line is the first 12 hex digits of the SHA-256 of the JSON text, a blank, the JSON text. The first line names the
//! format. A crash can leave a torn last record; opening cuts it off, keeps it aside and says so. What a later version
//! of the agent wrote is not damage: it is refused, and nothing of it is touched.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use proto::Sha256;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::durable::{self, Disk, StateError};

/// What every journal begins with, before the number of its format.
const NAME: &str = "ratchet-journal ";
/// The first line of a journal in the format that is written.
const HEADER: &str = "ratchet-journal 1\n";
/// The format that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// An open journal of records of one type.
#[derive(Debug)]
pub struct Journal<T> {
    path: PathBuf,
    disk: Disk,
    file: File,
    /// Bytes known to be good: a failed append is cut back to here.
    good: u64,
    /// Whether there may be something behind the good bytes.
    torn: bool,
    record: PhantomData<fn(T)>,
}

/// What opening a journal found.
#[derive(Debug)]
pub struct Opened<T> {
    /// The journal, ready for appending.
    pub journal: Journal<T>,
    /// Its records, oldest first.
    pub records: Vec<T>,
    /// Bytes of damaged tails that were cut off, now and before, and are kept in a file beside it.
    pub cut: Option<u64>,
}

/// What a look at a journal found.
#[derive(Debug)]
pub struct Peeked<T> {
    /// Its records, oldest first, up to the first damaged one.
    pub records: Vec<T>,
    /// Bytes of damaged tails that were cut off before.
    pub cut: Option<u64>,
    /// Bytes at its end that are no whole record: damage, or a write that is under way.
    pub tail: u64,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens or creates a journal, and cuts off everything from the first damaged record on.
    ///
    /// # Errors
    /// [`StateError`]: a torn end is repaired and reported; a file that is no journal, or one of a later version, is
    /// refused.
    pub fn open(path: &Path, disk: &Disk) -> Result<Opened<T>, StateError> {
        let bytes = read(path)?;
        let (records, good) = read_records(path, bytes.as_deref().unwrap_or_default())?;
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = opened.map_err(StateError::io("open", path))?;
        if bytes.is_none() {
            durable::sync_parent(path)?;
        }
        if let Some(bytes) = bytes.filter(|bytes| good < bytes.len()) {
            cut_tail(disk, &file, path, &bytes, good)?;
        }
        let (disk, torn) = (disk.clone(), false);
        let mut journal =
            Self { path: path.to_owned(), disk, file, good: good as u64, torn, record: PhantomData };
        if good == 0 {
            journal.write(HEADER.as_bytes())?;
        }
        Ok(Opened { journal, records, cut: cut_before(path)? })
    }

    /// Appends records and waits until the disk has them: all of them or, after an error, none.
    ///
    /// # Errors
    /// [`StateError::Io`]; what was written in part is cut off again.
    pub fn append(&mut self, records: &[T]) -> Result<(), StateError> {
        let mut lines = Vec::new();
        for record in records {
            let json = serde_json::to_vec(record).map_err(StateError::damaged(&self.path))?;
            lines.extend_from_slice(Sha256::of(&json).short().as_bytes());
            lines.push(b' ');
            lines.extend_from_slice(&json);
            lines.push(b'\n');
        }
        self.write(&lines)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.cut_back()?;
        self.torn = true;
        if let Err(error) = self.disk.append(&self.path, &mut self.file, bytes) {
            self.cut_back()?;
            return Err(error);
        }
        self.torn = false;
        self.good += bytes.len() as u64;
        Ok(())
    }

    /// Nothing is appended behind a part of something else: it would be lost with it.
    fn cut_back(&mut self) -> Result<(), StateError> {
        if self.torn {
            self.file.set_len(self.good).map_err(StateError::io("cut back", &self.path))?;
            self.torn = false;
        }
        Ok(())
    }
}

/// Reads a journal without changing anything; one that does not exist has no records.
///
/// # Errors
/// [`StateError`], as [`Journal::open`].
pub fn peek<T: DeserializeOwned>(path: &Path) -> Result<Peeked<T>, StateError> {
    let bytes = read(path)?.unwrap_or_default();
    let (records, good) = read_records(path, &bytes)?;
    Ok(Peeked { records, cut: cut_before(path)?, tail: (bytes.len() - good) as u64 })
}

/// Where what is cut off a journal is kept.
pub fn aside(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("read", path)(error)),
    }
}

/// The records up to the first damaged one, and how many bytes of the file are good. One reader for each format.
fn read_records<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<(Vec<T>, usize), StateError> {
    if HEADER.as_bytes().starts_with(bytes) && bytes.len() < HEADER.len() {
        // It was torn while it was created: no record can have been behind it.
        return Ok((Vec::new(), 0));
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let named = line.strip_prefix(NAME.as_bytes()).filter(|named| !named.is_empty());
    let Some(named) = named else {
        let begins = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
        return Err(StateError::damaged(path)(format!("it is no journal: it begins with `{begins}`")));
    };
    match named {
        b"1" => read_first(path, bytes, line.len() + 1),
        other => {
            let found = String::from_utf8_lossy(&other[..other.len().min(40)]).into_owned();
            Err(StateError::Format { path: path.to_owned(), found, known: FORMAT })
        }
    }
}

/// Format 1: checksum, blank, JSON.
fn read_first<T: DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
    header: usize,
) -> Result<(Vec<T>, usize), StateError> {
    let mut rest = bytes.get(header..).unwrap_or_default();
    let mut records = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let Some(json) = intact(&rest[..end]) else { break };
        let record = serde_json::from_slice(json);
        records.push(record.map_err(|source| StateError::Record { path: path.to_owned(), source })?);
        rest = &rest[end + 1..];
    }
    Ok((records, bytes.len() - rest.len()))
}

/// The JSON text of a line whose checksum fits.
fn intact(line: &[u8]) -> Option<&[u8]> {
    let (sum, json) = (line.get(..12)?, line.get(13..)?);
    (line[12] == b' ' && Sha256::of(json).short().as_bytes() == sum).then_some(json)
}

/// Bytes that were cut off the journal before.
fn cut_before(path: &Path) -> Result<Option<u64>, StateError> {
    let aside = aside(path);
    match fs::metadata(&aside) {
        Ok(meta) => Ok(Some(meta.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("read", &aside)(error)),
    }
}

/// Keeps the tail behind those that were cut before, then cuts it. If this is cut off in between, it is kept once.
fn cut_tail(disk: &Disk, file: &File, path: &Path, bytes: &[u8], good: usize) -> Result<(), StateError> {
    let (aside, tail) = (aside(path), &bytes[good..]);
    let mut kept = read(&aside)?.unwrap_or_default();
    if !kept.ends_with(tail) {
        kept.extend_from_slice(tail);
        disk.write_atomic(&aside, &kept)?;
    }
    tracing::warn!(
        journal = %path.display(), bytes = tail.len(), kept_in = %aside.display(),
        "cut a damaged tail off a journal"
    );
    file.set_len(good as u64).and_then(|()| file.sync_all()).map_err(StateError::io("cut", path))
}

#[cfg(test)]
mod tests;
