//! The lease of an embedded store: a lock on a file, which the kernel gives back when its holder dies.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use proto::ClusterName;
use rustix::fs::{FlockOperation, flock};

use super::StoreError;

/// A locked lease file. The lock is on this machine only, like the store itself.
#[derive(Debug)]
pub struct LeaseFile(#[expect(dead_code, reason = "held for its lock")] File);

impl LeaseFile {
    /// Takes the lock, or says who has it.
    pub(super) fn take(directory: &Path, cluster: &ClusterName, holder: &str) -> Result<Self, StoreError> {
        let path = file_of(directory, cluster);
        let failed = |source| StoreError::File { path: path.display().to_string(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let mut file = open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let holder = read(&mut file).map_err(failed)?;
                return Err(StoreError::Held { cluster: cluster.clone(), holder });
            }
            Err(error) => return Err(failed(error.into())),
        }
        // Only for people who are refused: the lock is what counts, so the text need not be durable.
        file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).map_err(failed)?;
        Ok(Self(file))
    }

    /// Who has the lock, if anybody does.
    pub(super) fn holder(directory: &Path, cluster: &ClusterName) -> Result<Option<String>, StoreError> {
        let path = file_of(directory, cluster);
        let failed = |source| StoreError::File { path: path.display().to_string(), source };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => read(&mut file).map(Some).map_err(failed),
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn file_of(directory: &Path, cluster: &ClusterName) -> PathBuf {
    directory.join(format!("{cluster}.lease"))
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn read(file: &mut File) -> std::io::Result<String> {
    let mut holder = String::new();
    file.rewind()?;
    file.read_to_string(&mut holder)?;
    Ok(holder)
}
