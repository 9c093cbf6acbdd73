//! The door: files that are whole or not there, and a lock so that one writes at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use proto::Failure;
use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everybody.
    Public = 0o644,
    /// Its owner.
    Private = 0o600,
}

/// An authority's directory.
#[derive(Clone, Debug)]
pub(super) struct Directory(PathBuf);

/// The right to write to an authority's directory; given back when it is dropped, or its process dies.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Directory {
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Takes the lock without waiting: whoever has it may be signing for long.
    pub(super) fn lock(&self) -> Result<Lock, Failure> {
        let path = self.0.join("lock");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|error| unusable(&path, "opened", &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(busy(&self.0)),
            Err(error) => Err(unusable(&path, "locked", &error.into())),
        }
    }

    pub(super) fn read(&self, name: &str) -> Result<String, Failure> {
        let path = self.0.join(name);
        fs::read_to_string(&path).map_err(|error| unusable(&path, "read", &error))
    }

    /// Reads what nobody else may read and what must not stay in memory.
    pub(super) fn read_secret(&self, name: &str) -> Result<Zeroizing<String>, Failure> {
        let path = self.0.join(name);
        let mode = fs::metadata(&path).map_err(|error| unusable(&path, "read", &error))?.mode();
        if mode & 0o077 != 0 {
            return Err(open_to_others(&path, mode & 0o777));
        }
        self.read(name).map(Zeroizing::new)
    }

    /// Replaces a file: afterwards it holds either the old content or all of the new.
    pub(super) fn write(&self, name: &str, text: &str, mode: Mode) -> Result<(), Failure> {
        let path = self.0.join(name);
        replace(&path, text, mode).map_err(|error| unusable(&path, "written", &error))
    }
}

/// Writes beside, syncs, renames over, and syncs the directory.
pub(super) fn replace(path: &Path, text: &str, mode: Mode) -> io::Result<()> {
    let mut beside = path.file_name().unwrap_or_default().to_owned();
    beside.push(".tmp");
    let beside = path.with_file_name(beside);
    // One that was left behind may have another mode.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    create(&beside, text, mode)?;
    fs::rename(&beside, path)?;
    sync(path.parent().unwrap_or(Path::new("/")))
}

/// Creates a file that must not be there, with its mode from the first moment on.
pub(super) fn create(path: &Path, text: &str, mode: Mode) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode as u32).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Puts a directory with these files in its place in one step: all of them are there, or none. What is at the place is
/// moved away first and removed at the end, if that is wanted, so that two sets of files are never mixed.
pub(super) fn place(path: &Path, files: &[(&str, &str, Mode)], replace: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| unusable(path, "made", &error);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    let (fresh, old) = (sibling(path, "new"), sibling(path, "old"));
    for left in [&fresh, &old] {
        gone(left).map_err(failed)?;
    }
    DirBuilder::new().mode(0o700).create(&fresh).map_err(failed)?;
    for (name, text, mode) in files {
        create(&fresh.join(name), text, *mode).map_err(failed)?;
    }
    sync(&fresh).map_err(failed)?;
    if replace && path.exists() {
        fs::rename(path, &old).map_err(failed)?;
    }
    // A directory replaces only an empty one.
    fs::rename(&fresh, path).map_err(|error| {
        let _left = gone(&fresh);
        match error.kind() {
            io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory => already_there(path),
            _ => failed(error),
        }
    })?;
    sync(parent).and_then(|()| gone(&old)).map_err(failed)
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}"))
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Nothing is overwritten.
pub(super) fn already_there(path: &Path) -> Failure {
    let message = format!("{} is there already, and nothing in it is overwritten", path.display());
    Failure::operator("already-there", message, "name another place, or move it away yourself")
}

fn busy(path: &Path) -> Failure {
    let message = format!("somebody else writes to the authority in {} now", path.display());
    let failure = Failure::retry("authority-busy", message);
    Failure { remedy: Some("try again in a moment".to_owned()), ..failure }
}

fn open_to_others(path: &Path, mode: u32) -> Failure {
    let message = format!("others than its owner can use {}: its mode is {mode:04o}", path.display());
    let remedy = format!(
        "if nobody else has read it: chmod 0600 {}; else see \"A key was stolen\" in docs/pki.md",
        path.display()
    );
    Failure::operator("unusable-authority", message, remedy)
}

/// Something cannot be done with a file.
pub(super) fn unusable(path: &Path, done: &str, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "name the authority's directory with --dir, or make one: ratchet pki init",
        io::ErrorKind::PermissionDenied => "run it as the user that the directory belongs to",
        _ => "see that its disk is neither full nor broken",
    };
    let message = format!("{} cannot be {done}", path.display());
    Failure::operator("unusable-authority", message, remedy).because(error.to_string())
}
