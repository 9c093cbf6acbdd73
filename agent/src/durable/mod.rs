//! Files that survive a power cut: written beside, synced, renamed over, and the directory synced after it.

mod disk;
mod error;
mod json;

use std::fs::{self, File};
use std::io;
use std::path::Path;

pub use disk::{Disk, DiskWatch};
pub use error::StateError;
pub use json::{FORMAT, read_json};

/// Removes a file or a whole directory; that it is not there is fine. It needs no room, so no [`Disk`] stands in its way.
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
