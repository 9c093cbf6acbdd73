//! Append-only files of JSON lines, each with its checksum. What an append returns for is on the disk.
//!
//! A line is the first 12 hex digits of the SHA-256 of the JSON text, a blank, the JSON text. The first line names the
//! format. A crash can leave a torn last record; opening cuts it off, keeps it aside and says so.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use proto::Sha256;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::durable::{self, StateError};

const HEADER: &str = "ratchet-journal 1\n";

/// An open journal of records of one type.
#[derive(Debug)]
pub struct Journal<T> {
    path: PathBuf,
    file: File,
    /// Bytes known to be good: a failed append is cut back to here.
    good: u64,
    record: PhantomData<fn(T)>,
}

/// What opening a journal found.
#[derive(Debug)]
pub struct Opened<T> {
    /// The journal, ready for appending.
    pub journal: Journal<T>,
    /// Its records, oldest first.
    pub records: Vec<T>,
    /// Bytes of damaged tail that were cut off and kept in a file beside it.
    pub cut: Option<u64>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens or creates a journal, and cuts off everything from the first damaged record on.
    ///
    /// # Errors
    /// [`StateError::Io`] only: damage is repaired and reported.
    pub fn open(path: &Path) -> Result<Opened<T>, StateError> {
        let created = !path.exists();
        let mut file = OpenOptions::new()
            .append(true)
            .read(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(StateError::io("open", path))?;
        let bytes = fs::read(path).map_err(StateError::io("read", path))?;
        let (records, good) = read_records(&bytes);
        let cut = (good < bytes.len()).then(|| (bytes.len() - good) as u64);
        if cut.is_some() {
            cut_tail(&file, path, &bytes, good)?;
        }
        let mut good = good as u64;
        if good == 0 {
            file.write_all(HEADER.as_bytes()).map_err(StateError::io("write", path))?;
            good = HEADER.len() as u64;
        }
        file.sync_all().map_err(StateError::io("sync", path))?;
        if created {
            durable::sync_parent(path)?;
        }
        let journal = Self { path: path.to_owned(), file, good, record: PhantomData };
        Ok(Opened { journal, records, cut })
    }

    /// Appends records and waits until the disk has them: all of them or, after an error, none.
    ///
    /// # Errors
    /// [`StateError::Io`]; what was written in part is cut off again.
    pub fn append(&mut self, records: &[T]) -> Result<(), StateError> {
        let mut lines = Vec::new();
        for record in records {
            let json = serde_json::to_vec(record)
                .map_err(|source| StateError::Damaged { path: self.path.clone(), source })?;
            lines.extend_from_slice(Sha256::of(&json).short().as_bytes());
            lines.push(b' ');
            lines.extend_from_slice(&json);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.good).map_err(StateError::io("cut back", &self.path))?;
            return Err(StateError::io("append to", &self.path)(error));
        }
        self.good += lines.len() as u64;
        Ok(())
    }
}

/// The records up to the first damaged one, and how many bytes they take. Reads without changing anything.
///
/// # Errors
/// [`StateError::Io`].
pub fn peek<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, StateError> {
    let bytes = fs::read(path).map_err(StateError::io("read", path))?;
    Ok(read_records(&bytes).0)
}

fn read_records<T: DeserializeOwned>(bytes: &[u8]) -> (Vec<T>, usize) {
    let Some(mut rest) = bytes.strip_prefix(HEADER.as_bytes()) else { return (Vec::new(), 0) };
    let mut records = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let Some(record) = read_record(&rest[..end]) else { break };
        records.push(record);
        rest = &rest[end + 1..];
    }
    (records, bytes.len() - rest.len())
}

fn read_record<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let (sum, json) = (line.get(..12)?, line.get(13..)?);
    let intact = line[12] == b' ' && Sha256::of(json).short().as_bytes() == sum;
    if intact { serde_json::from_slice(json).ok() } else { None }
}

fn cut_tail(file: &File, path: &Path, bytes: &[u8], good: usize) -> Result<(), StateError> {
    let aside = path.with_extension("damaged");
    durable::write_atomic(&aside, &bytes[good..])?;
    tracing::warn!(
        journal = %path.display(), bytes = bytes.len() - good, kept_in = %aside.display(),
        "cut a damaged tail off a journal"
    );
    file.set_len(good as u64).map_err(StateError::io("cut", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path, numbers: &[u32]) {
        let mut opened = Journal::<u32>::open(path).unwrap();
        opened.journal.append(numbers).unwrap();
    }

    #[test]
    fn reads_back_what_was_appended_over_many_openings() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        written(&path, &[1, 2]);
        written(&path, &[3]);
        let opened = Journal::<u32>::open(&path).unwrap();
        assert_eq!((opened.records, opened.cut), (vec![1, 2, 3], None));
        assert_eq!(peek::<u32>(&path).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_file_torn_anywhere_keeps_a_prefix_and_takes_new_records() {
        let dir = tempfile::tempdir().unwrap();
        let whole = dir.path().join("whole");
        written(&whole, &[10, 20, 30]);
        let bytes = fs::read(&whole).unwrap();
        for length in 0..bytes.len() {
            let path = dir.path().join(format!("torn-{length}"));
            fs::write(&path, &bytes[..length]).unwrap();
            let kept = Journal::<u32>::open(&path).unwrap().records;
            assert!([10, 20, 30].starts_with(&kept) && kept.len() < 3, "{length}: {kept:?}");
            written(&path, &[40]);
            let again = Journal::<u32>::open(&path).unwrap();
            assert_eq!(again.records, [kept, vec![40]].concat(), "{length}");
            assert_eq!(again.cut, None);
        }
    }

    #[test]
    fn a_flipped_byte_ends_the_journal_there_and_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        written(&path, &[10, 20, 30]);
        let mut bytes = fs::read(&path).unwrap();
        let second = HEADER.len() + 16 + 14;
        bytes[second] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let opened = Journal::<u32>::open(&path).unwrap();
        assert_eq!(opened.records, [10]);
        assert_eq!(opened.cut, Some(32));
        assert_eq!(fs::read(path.with_extension("damaged")).unwrap().len(), 32);
    }
}
