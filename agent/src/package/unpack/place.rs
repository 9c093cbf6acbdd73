//! Where the entries of an archive go: below one directory that nothing leads out of, or nowhere.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};

use crate::durable::StateError;

/// Where the entries of an archive go. Paths are plain ones that the policy let in.
pub(super) trait Place {
    /// A file under way.
    type File: io::Write;

    fn make_dir(&mut self, path: &str) -> Result<(), StateError>;

    fn create(&mut self, path: &str, mode: u32) -> Result<Self::File, StateError>;

    /// The file is complete.
    fn close(&mut self, path: &str, file: Self::File) -> Result<(), StateError>;
}

/// A directory. `cap-std` resolves each path below it, without following anything out of it.
pub(super) struct Below(Dir);

impl Below {
    pub(super) fn open(path: &Path) -> Result<Self, StateError> {
        Dir::open_ambient_dir(path, ambient_authority()).map(Self).map_err(StateError::io("open", path))
    }
}

impl Place for Below {
    type File = File;

    fn make_dir(&mut self, path: &str) -> Result<(), StateError> {
        let made = self.0.create_dir_with(path, DirBuilder::new().mode(0o755));
        made.map_err(StateError::io("create the directory", Path::new(path)))
    }

    fn create(&mut self, path: &str, mode: u32) -> Result<File, StateError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let created = self.0.open_with(path, &options).and_then(|file| {
            // The umask is not the archive's business.
            file.set_permissions(Permissions::from_mode(mode))?;
            Ok(file.into_std())
        });
        created.map_err(StateError::io("create", Path::new(path)))
    }

    fn close(&mut self, path: &str, file: File) -> Result<(), StateError> {
        file.sync_all().map_err(StateError::io("sync", Path::new(path)))
    }
}

/// Nothing is written.
pub(super) struct Nowhere;

impl Place for Nowhere {
    type File = io::Sink;

    fn make_dir(&mut self, _path: &str) -> Result<(), StateError> {
        Ok(())
    }

    fn create(&mut self, _path: &str, _mode: u32) -> Result<io::Sink, StateError> {
        Ok(io::sink())
    }

    fn close(&mut self, _path: &str, _file: io::Sink) -> Result<(), StateError> {
        Ok(())
    }
}
