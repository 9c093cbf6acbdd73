//! Files that survive a power cut: written beside, synced, renamed over, and the directory synced after it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a file of the state directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error(
        "{path} is damaged; move it away only after making sure that no upgrade is under way on this node"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl StateError {
    /// An I/O error with what was tried on which path; made for `map_err`.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// Whether the file system is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }

    /// The message and every source below it in one line.
    pub fn full(&self) -> String {
        crate::failures::chain(self)
    }
}

/// Replaces `path` with `bytes`: afterwards it holds either the old content or all of the new.
///
/// # Errors
/// [`StateError::Io`], with the old content untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let beside = temporary_beside(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(StateError::io("create", &beside))?;
    file.write_all(bytes).map_err(StateError::io("write", &beside))?;
    file.sync_all().map_err(StateError::io("sync", &beside))?;
    rename(&beside, path)
}

/// Replaces `path` with `value` as JSON, like [`write_atomic`].
///
/// # Errors
/// [`StateError`], with the old content untouched.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), StateError> {
    let bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| StateError::Damaged { path: path.to_owned(), source })?;
    write_atomic(path, &bytes)
}

/// Creates `path` with `value` as JSON unless it exists; `false` if it does. Of any number of processes that try, one
/// is told `true`.
///
/// # Errors
/// [`StateError`]; the file may exist then, which counts as taken.
pub fn create_json_once<T: Serialize>(path: &Path, value: &T) -> Result<bool, StateError> {
    let bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| StateError::Damaged { path: path.to_owned(), source })?;
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(StateError::io("create", path)(error)),
    };
    file.write_all(&bytes).map_err(StateError::io("write", path))?;
    file.sync_all().map_err(StateError::io("sync", path))?;
    sync_parent(path)?;
    Ok(true)
}

/// Reads JSON; `None` if there is no such file.
///
/// # Errors
/// [`StateError::Io`] or [`StateError::Damaged`].
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StateError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::io("read", path)(error)),
    };
    let value = serde_json::from_slice(&bytes);
    value.map(Some).map_err(|source| StateError::Damaged { path: path.to_owned(), source })
}

/// Renames durably.
///
/// # Errors
/// [`StateError::Io`].
pub fn rename(from: &Path, to: &Path) -> Result<(), StateError> {
    fs::rename(from, to).map_err(StateError::io("rename a file to", to))?;
    sync_parent(to)
}

/// Makes a directory, and those above it, that only their owner may enter. One that exists already is kept as it is.
///
/// # Errors
/// [`StateError::Io`].
pub fn make_private_dir(path: &Path) -> Result<(), StateError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(StateError::io("create the directory", path))
}

/// Removes a file or a whole directory; that it is not there is fine.
///
/// # Errors
/// [`StateError::Io`].
pub fn remove(path: &Path) -> Result<(), StateError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(StateError::io("remove", path))
}

/// Makes what was created, renamed or removed in the directory of `path` survive a power cut.
///
/// # Errors
/// [`StateError::Io`].
pub fn sync_parent(path: &Path) -> Result<(), StateError> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(StateError::io("sync the directory", parent))
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_creators_one_wins_and_the_first_content_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("started.json");
        assert!(create_json_once(&path, &1).unwrap());
        assert!(!create_json_once(&path, &2).unwrap());
        assert_eq!(read_json::<u8>(&path).unwrap(), Some(1));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_an_absent_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claim.json");
        assert_eq!(read_json::<u8>(&path).unwrap(), None);
        fs::write(&path, "").unwrap();
        let error = read_json::<u8>(&path).unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_failed_write_leaves_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claim.json");
        write_json(&path, &1).unwrap();
        fs::create_dir(dir.path().join("claim.json.tmp")).unwrap();
        assert!(write_json(&path, &2).is_err());
        assert_eq!(read_json::<u8>(&path).unwrap(), Some(1));
    }
}
