//! The lease of an embedded store: a lock on a file, which the kernel gives back when its holder dies.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{Seat, StoreError};

/// A locked lease file. The lock is on this machine only, like the store itself.
#[derive(Debug)]
pub(super) struct LeaseFile {
    path: PathBuf,
    file: File,
}

impl LeaseFile {
    /// Takes the lock, or says who has it.
    pub(super) fn take(directory: &Path, seat: &Seat, holder: &str) -> Result<Self, StoreError> {
        let path = file_of(directory, seat);
        let failed = failed_at(&path);
        fs::create_dir_all(directory).map_err(&failed)?;
        let mut file = open(&path).map_err(&failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let holder = read(&mut file).map_err(&failed)?;
                return Err(seat.held(holder));
            }
            Err(error) => return Err(failed(error.into())),
        }
        // Only for people who are refused: the lock is what counts, so the text need not be durable.
        file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).map_err(&failed)?;
        Ok(Self { path, file })
    }

    /// Puts a new, locked file in the place of whatever is there, in one step: a holder that still lives keeps its lock
    /// on a file that nobody looks at any more. Whoever calls this has made sure that nobody else does at this moment.
    pub(super) fn seize(directory: &Path, seat: &Seat, holder: &str) -> Result<Self, StoreError> {
        let path = file_of(directory, seat);
        let failed = failed_at(&path);
        fs::create_dir_all(directory).map_err(&failed)?;
        let fresh = directory.join(format!(".{}.{}", seat.key(), uuid::Uuid::now_v7().simple()));
        let seized = (|| {
            let mut file = open(&fresh)?;
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(holder.as_bytes())?;
            fs::rename(&fresh, &path)?;
            Ok(file)
        })();
        match seized {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => {
                // What is left of a failed attempt means nothing to anybody; that it may stay changes nothing.
                let _gone = fs::remove_file(&fresh);
                Err(failed(error))
            }
        }
    }

    /// Whether the lock is on the file that everybody looks at: it is not when somebody has seized the lease.
    pub(super) fn counts(&self) -> Result<bool, StoreError> {
        let failed = failed_at(&self.path);
        let own = self.file.metadata().map_err(&failed)?;
        match fs::metadata(&self.path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Who has the lock, if anybody does.
    pub(super) fn holder(directory: &Path, seat: &Seat) -> Result<Option<String>, StoreError> {
        let path = file_of(directory, seat);
        let failed = failed_at(&path);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => read(&mut file).map(Some).map_err(failed),
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn failed_at(path: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let path = path.display().to_string();
    move |source| StoreError::File { path: path.clone(), source }
}

fn file_of(directory: &Path, seat: &Seat) -> PathBuf {
    directory.join(format!("{}.lease", seat.key()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn read(file: &mut File) -> io::Result<String> {
    let mut holder = String::new();
    file.rewind()?;
    file.read_to_string(&mut holder)?;
    Ok(holder)
}
