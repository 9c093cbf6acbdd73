//! The archives on this node, each under its digest.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use proto::{HeldPackage, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::hash;
use crate::durable::{self, Disk, StateError};
use crate::state::StateDir;

/// The archives that were verified when they came.
#[derive(Clone, Debug)]
pub struct Packages {
    state: StateDir,
    disk: Disk,
    locks: Arc<Mutex<HashMap<Sha256, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Packages {
    /// The archives in a state directory.
    pub fn in_state(state: &StateDir, disk: &Disk) -> Self {
        Self { state: state.clone(), disk: disk.clone(), locks: Arc::default() }
    }

    /// Where they are written.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Where a verified archive is.
    pub fn archive(&self, digest: &Sha256) -> PathBuf {
        self.state.archive(digest)
    }

    /// Where an unfinished download is.
    pub fn part(&self, digest: &Sha256) -> PathBuf {
        self.archive(digest).with_extension("part")
    }

    /// The directory all of them are in.
    pub fn dir(&self) -> PathBuf {
        self.state.packages()
    }

    /// Waits until nobody else works on this archive, and keeps others from it.
    pub async fn lock(&self, digest: &Sha256) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(*digest).or_default())
        };
        lock.lock_owned().await
    }

    /// The archives held, by name and size; their bytes are proven when they are used.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn held(&self) -> Result<Vec<HeldPackage>, StateError> {
        let dir = self.dir();
        let entries = fs::read_dir(&dir).map_err(StateError::io("list", &dir))?;
        let mut held: Vec<HeldPackage> =
            entries.filter_map(|entry| self.read_held(&entry.ok()?.path())).collect();
        held.sort_by_key(|package| package.sha256);
        Ok(held)
    }

    fn read_held(&self, card: &Path) -> Option<HeldPackage> {
        let digest = card.file_name()?.to_str()?.strip_suffix(".json")?.parse().ok()?;
        self.card(&digest).filter(|held| held.sha256 == digest)
    }

    /// What is known of an archive that is held whole.
    fn card(&self, digest: &Sha256) -> Option<HeldPackage> {
        let held: HeldPackage = durable::read_json(&self.card_file(digest)).ok()??;
        let size = fs::metadata(self.archive(digest)).ok()?.len();
        (held.size == size).then_some(held)
    }

    /// An archive that is held and still has the digest it is held under; a spoiled one is removed. Blocks.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn verified(&self, digest: &Sha256) -> Result<Option<HeldPackage>, StateError> {
        let Some(held) = self.card(digest) else { return Ok(None) };
        let archive = self.archive(digest);
        let actual = hash::sha256_of_file(&archive, None).map_err(StateError::io("read", &archive))?;
        if actual == *digest {
            return Ok(Some(held));
        }
        tracing::warn!(archive = %archive.display(), %actual, "removing an archive whose bytes have changed");
        durable::remove(&self.card_file(digest))?;
        durable::remove(&archive)?;
        Ok(None)
    }

    /// Makes a whole and proven download an archive that is held. Blocks.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn keep(&self, held: &HeldPackage) -> Result<(), StateError> {
        self.disk.rename(&self.part(&held.sha256), &self.archive(&held.sha256))?;
        self.disk.write_json(&self.card_file(&held.sha256), held)
    }

    fn card_file(&self, digest: &Sha256) -> PathBuf {
        self.archive(digest).with_extension("json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(packages: &Packages, bytes: &[u8]) -> Sha256 {
        let sha256 = Sha256::of(bytes);
        fs::write(packages.part(&sha256), bytes).unwrap();
        let version = "7.4.6-22".parse().unwrap();
        packages.keep(&HeldPackage { sha256, size: bytes.len() as u64, version }).unwrap();
        sha256
    }

    #[test]
    fn an_archive_spoiled_on_the_disk_is_not_held_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let packages =
            Packages::in_state(&StateDir::create(dir.path(), &Disk::real()).unwrap(), &Disk::real());
        let (good, spoiled, cut) =
            (keep(&packages, b"good"), keep(&packages, b"spoiled"), keep(&packages, b"cut"));
        fs::write(packages.archive(&spoiled), b"SPOILED").unwrap();
        fs::write(packages.archive(&cut), b"cu").unwrap();
        assert_eq!(packages.held().unwrap().len(), 2, "a short one is seen at once");
        assert!(packages.verified(&good).unwrap().is_some());
        assert!(packages.verified(&spoiled).unwrap().is_none());
        assert!(packages.verified(&cut).unwrap().is_none());
        let held: Vec<Sha256> = packages.held().unwrap().iter().map(|held| held.sha256).collect();
        assert_eq!(held, [good]);
    }
}
