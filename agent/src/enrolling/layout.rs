//! Where the files lie. `cert.pem` and `key.pem` are links through one link, `current`, so that both change in one step:
//! whatever dies in between, they belong together.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use proto::Sha256;
use zeroize::Zeroizing;

use super::EnrolError;
use crate::durable::{Disk, StateError, remove, sync_parent};

/// The files that the configuration names.
const NAMES: [&str; 4] = ["ca.pem", "cert.pem", "key.pem", "crl.pem"];
/// The link that changes.
const CURRENT: &str = "current";
/// How directories with one set of files begin.
const SET: &str = "set-";

/// One set of files that belong together.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) ca: String,
    pub(super) cert: String,
    pub(super) key: Zeroizing<String>,
    /// None: the one that was there stays.
    pub(super) crl: Option<String>,
}

/// The directory with the node's certificate.
#[derive(Clone, Debug)]
pub struct Home {
    dir: PathBuf,
    disk: Disk,
}

impl Home {
    /// The one at a path.
    pub fn at(dir: &Path, disk: Disk) -> Self {
        Self { dir: dir.to_owned(), disk }
    }

    /// Makes it, if it is not there.
    pub(super) fn make(&self) -> Result<(), EnrolError> {
        Ok(self.disk.make_private_dir(&self.dir)?)
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The key for which there is no certificate yet.
    pub(super) fn pending(&self) -> PathBuf {
        self.path("pending.key")
    }

    /// Puts a set of files in the place of the one that is there. May be repeated after whatever has cut it off.
    pub(super) fn install(&self, files: &Files) -> Result<(), EnrolError> {
        self.adopt()?;
        let set = format!("{SET}{}", Sha256::of(files.cert.as_bytes()).short());
        let dir = self.path(&set);
        self.disk.make_private_dir(&dir)?;
        let crl = match &files.crl {
            Some(crl) => Some(crl.clone()),
            None => fs::read_to_string(self.path("crl.pem")).ok(),
        };
        let texts = [Some(files.ca.as_str()), Some(&files.cert), Some(&files.key), crl.as_deref()];
        for (name, text) in NAMES.into_iter().zip(texts) {
            if let Some(text) = text {
                self.disk.write_atomic(&dir.join(name), text.as_bytes())?;
            }
        }
        self.point(CURRENT, &set)?;
        self.link(&dir)?;
        // From here on a new beginning would be a new key.
        remove(&self.pending())?;
        self.tidy(&set)
    }

    /// Files that were put here by others become a set of their own first, so that they are replaced all at once, too.
    fn adopt(&self) -> Result<(), EnrolError> {
        let is_file = |name: &&str| fs::symlink_metadata(self.path(name)).is_ok_and(|meta| meta.is_file());
        let found: Vec<&str> = NAMES.into_iter().filter(is_file).collect();
        if found.is_empty() {
            return Ok(());
        }
        let set = format!("{SET}before");
        let dir = self.path(&set);
        self.disk.make_private_dir(&dir)?;
        for name in &found {
            let path = self.path(name);
            let bytes = fs::read(&path).map(Zeroizing::new).map_err(StateError::io("read", &path))?;
            self.disk.write_atomic(&dir.join(name), &bytes)?;
        }
        self.point(CURRENT, &set)?;
        self.link(&dir)
    }

    /// The names that the configuration knows, for those files that a set has.
    fn link(&self, set: &Path) -> Result<(), EnrolError> {
        for name in NAMES.into_iter().filter(|name| set.join(name).exists()) {
            self.point(name, &format!("{CURRENT}/{name}"))?;
        }
        Ok(())
    }

    /// Makes a link, or turns it, in one step.
    fn point(&self, name: &str, to: &str) -> Result<(), EnrolError> {
        let link = self.path(name);
        if fs::read_link(&link).is_ok_and(|there| there == Path::new(to)) {
            return Ok(());
        }
        let beside = self.path(&format!(".{name}.new"));
        remove(&beside)?;
        symlink(to, &beside).map_err(StateError::io("make the link", &beside))?;
        sync_parent(&beside)?;
        Ok(self.disk.rename(&beside, &link)?)
    }

    /// Removes older sets, with their keys.
    fn tidy(&self, set: &str) -> Result<(), EnrolError> {
        let read = StateError::io("read the directory", &self.dir);
        let entries: io::Result<Vec<_>> = fs::read_dir(&self.dir).and_then(|entries| entries.collect());
        for entry in entries.map_err(read)? {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(SET) && name != set) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
