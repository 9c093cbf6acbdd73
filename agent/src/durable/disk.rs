//! The door for durable writes: whoever writes what must survive goes through here, and a test can stand in it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::json::text_of;
use super::{StateError, sync_parent};

/// Sees every durable write, and can keep it from happening: a full disk, or the end of a process.
pub trait DiskWatch: fmt::Debug + Send + Sync {
    /// Called before a write to `path`, when nothing of it has happened.
    ///
    /// # Errors
    /// An error is the write's own: it does not take place.
    fn before(&self, path: &Path) -> io::Result<()>;
    /// Called when the disk has it.
    fn after(&self, path: &Path);
}

/// Writes durably. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    watch: Option<Arc<dyn DiskWatch>>,
}

impl Disk {
    /// The disk as it is.
    pub fn real() -> Self {
        Self::default()
    }

    /// The disk with somebody who watches every write.
    pub fn watched(watch: Arc<dyn DiskWatch>) -> Self {
        Self { watch: Some(watch) }
    }

    /// One durable write with the watch around it.
    fn write<T>(&self, path: &Path, work: impl FnOnce() -> Result<T, StateError>) -> Result<T, StateError> {
        if let Some(watch) = &self.watch {
            watch.before(path).map_err(StateError::io("write", path))?;
        }
        let done = work()?;
        if let Some(watch) = &self.watch {
            watch.after(path);
        }
        Ok(done)
    }

    /// Replaces `path` with `bytes`: afterwards it holds either the old content or all of the new.
    ///
    /// # Errors
    /// [`StateError::Io`], with the old content untouched.
    pub fn write_atomic(&self, path: &Path, bytes: &[u8]) -> Result<(), StateError> {
        self.write(path, || {
            let beside = beside(path, "tmp");
            write_new(&beside, bytes)?;
            rename(&beside, path)
        })
    }

    /// Replaces `path` with `value` as JSON, like [`Disk::write_atomic`].
    ///
    /// # Errors
    /// [`StateError`], with the old content untouched.
    pub fn write_json<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), StateError> {
        self.write_atomic(path, &text_of(path, value)?)
    }

    /// Creates `path` with `value` as JSON unless it exists; `false` if it does. Of any number of processes that try,
    /// one is told `true`; nobody ever sees a part of it.
    ///
    /// # Errors
    /// [`StateError`]; then it was not created, or, where the directory could not be synced, counts as taken.
    pub fn create_json_once<T: Serialize>(&self, path: &Path, value: &T) -> Result<bool, StateError> {
        if path.exists() {
            return Ok(false);
        }
        let bytes = text_of(path, value)?;
        self.write(path, || {
            let beside = beside(path, &own_suffix());
            let written = write_new(&beside, &bytes);
            let linked = written.and_then(|()| match fs::hard_link(&beside, path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(StateError::io("create", path)(error)),
            });
            super::remove(&beside)?;
            let created = linked?;
            sync_parent(path)?;
            Ok(created)
        })
    }

    /// Appends to an open file and waits until the disk has it.
    ///
    /// # Errors
    /// [`StateError::Io`]; a part of it may be there.
    pub fn append(&self, path: &Path, file: &mut File, bytes: &[u8]) -> Result<(), StateError> {
        self.write(path, || {
            let written = file.write_all(bytes).and_then(|()| file.sync_data());
            written.map_err(StateError::io("append to", path))
        })
    }

    /// Renames durably.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), StateError> {
        self.write(to, || rename(from, to))
    }

    /// Makes a directory, and those above it, that only their owner may enter. One that exists already is kept as it is.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn make_private_dir(&self, path: &Path) -> Result<(), StateError> {
        if path.is_dir() {
            return Ok(());
        }
        self.write(path, || {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(StateError::io("create the directory", path))?;
            sync_parent(path)
        })
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = opened.map_err(StateError::io("create", path))?;
    file.write_all(bytes).map_err(StateError::io("write", path))?;
    file.sync_all().map_err(StateError::io("sync", path))
}

fn rename(from: &Path, to: &Path) -> Result<(), StateError> {
    fs::rename(from, to).map_err(StateError::io("rename a file to", to))?;
    sync_parent(to)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Those who create the same file at the same time must not write into each other's.
fn own_suffix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::super::read_json;
    use super::*;

    type Held = BTreeMap<String, u8>;

    fn value(number: u8) -> Held {
        BTreeMap::from([("number".to_owned(), number)])
    }

    fn files(dir: &tempfile::TempDir) -> usize {
        fs::read_dir(dir.path()).unwrap().count()
    }

    #[test]
    fn of_two_creators_one_wins_and_the_first_content_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("started.json");
        let disk = Disk::real();
        assert!(disk.create_json_once(&path, &value(1)).unwrap());
        assert!(!disk.create_json_once(&path, &value(2)).unwrap());
        assert_eq!(read_json::<Held>(&path).unwrap(), Some(value(1)));
        assert_eq!(files(&dir), 1, "nothing is left beside it");
    }

    #[test]
    fn of_many_creators_at_once_one_wins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("started.json");
        let create = |number: u8| Disk::real().create_json_once(&path, &value(number)).unwrap();
        let won: Vec<u8> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8).map(|number| scope.spawn(move || (number, create(number)))).collect();
            let done = tries.into_iter().map(|one| one.join().unwrap());
            done.filter(|(_, won)| *won).map(|(number, _)| number).collect()
        });
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(read_json::<Held>(&path).unwrap(), Some(value(won[0])));
        assert_eq!(files(&dir), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claim.json");
        Disk::real().write_json(&path, &value(1)).unwrap();
        fs::create_dir(dir.path().join("claim.json.tmp")).unwrap();
        assert!(Disk::real().write_json(&path, &value(2)).is_err());
        assert_eq!(read_json::<Held>(&path).unwrap(), Some(value(1)));
    }

    #[derive(Debug, Default)]
    struct Full(Mutex<Vec<PathBuf>>);

    impl DiskWatch for Full {
        fn before(&self, path: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push(path.to_owned());
            Err(io::ErrorKind::StorageFull.into())
        }

        fn after(&self, path: &Path) {
            panic!("{} was not written", path.display());
        }
    }

    #[test]
    fn a_full_disk_is_told_as_one_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut file = File::create(dir.path().join("events")).unwrap();
        let full = Arc::new(Full::default());
        let disk = Disk::watched(full.clone());
        let errors = [
            disk.write_json(&path, &value(1)).unwrap_err(),
            disk.create_json_once(&path, &value(1)).unwrap_err(),
            disk.append(&path, &mut file, b"x").unwrap_err(),
            disk.make_private_dir(&path).unwrap_err(),
            disk.rename(&dir.path().join("events"), &path).unwrap_err(),
        ];
        assert!(errors.iter().all(StateError::is_disk_full), "{errors:?}");
        assert_eq!((files(&dir), file.metadata().unwrap().len()), (1, 0));
        assert_eq!(*full.0.lock().unwrap(), vec![path; 5]);
    }
}
