//! What was unpacked, file by file, written beside the tree: what is run is compared with it once more (promise P10).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proto::{Authenticity, Sha256, Version};
use serde::{Deserialize, Serialize};

use super::hash;
use crate::durable::{self, Disk, StateError};

/// The name of the tree below an unpack step's directory.
pub(super) const TREE: &str = "tree";
const MANIFEST: &str = "manifest.json";

/// Everything that one archive unpacked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The archive's digest.
    pub package: Sha256,
    /// The version it was unpacked as.
    pub version: Version,
    /// The main package's file name, if there is one.
    pub main_package: Option<String>,
    /// What was odd about the archive.
    pub warnings: Vec<String>,
    /// What is known of who made it, layer by layer; empty while that is not known, or where nobody asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authenticity: Vec<Authenticity>,
    /// Every file and directory by its path below the tree.
    pub entries: BTreeMap<String, Entry>,
}

/// A file or a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Its permission bits.
        mode: u32,
        /// Its digest.
        sha256: Sha256,
    },
}

/// Why a tree is not what was unpacked.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// It could not be read.
    #[error("cannot read {path}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was changed.
    #[error("{path} {change} since it was unpacked")]
    Changed {
        /// The file or directory below the tree.
        path: String,
        /// How.
        change: &'static str,
    },
}

impl Manifest {
    /// The manifest in an unpack step's directory; `None` if nothing was unpacked there to the end.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn read(dir: &Path) -> Result<Option<Self>, StateError> {
        durable::read_json(&dir.join(MANIFEST))
    }

    /// The manifest with what was found out about who made the package, on the disk.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn found_authentic(
        self,
        disk: &Disk,
        dir: &Path,
        authenticity: Vec<Authenticity>,
    ) -> Result<Self, StateError> {
        let made = Self { authenticity, ..self };
        made.write(disk, dir)?;
        Ok(made)
    }

    pub(super) fn write(&self, disk: &Disk, dir: &Path) -> Result<(), StateError> {
        disk.write_json(&dir.join(MANIFEST), self)
    }

    /// The tree that belongs to a manifest in `dir`.
    pub fn tree(dir: &Path) -> PathBuf {
        dir.join(TREE)
    }

    /// Number of files and their bytes.
    pub fn totals(&self) -> (u64, u64) {
        let sizes = self.entries.values().filter_map(|entry| match entry {
            Entry::File { size, .. } => Some(*size),
            Entry::Directory => None,
        });
        sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size))
    }

    /// Compares a tree with this manifest, byte by byte. Blocks.
    ///
    /// # Errors
    /// [`TreeError`] for the first difference: nothing may be missing, added or changed.
    pub fn verify(&self, tree: &Path) -> Result<(), TreeError> {
        let mut found = BTreeMap::new();
        walk(tree, "", &mut found)?;
        if let Some(added) = found.keys().find(|path| !self.entries.contains_key(*path)) {
            return Err(TreeError::Changed { path: added.clone(), change: "was added" });
        }
        for (path, expected) in &self.entries {
            match found.get(path) {
                None => return Err(TreeError::Changed { path: path.clone(), change: "was removed" }),
                Some(entry) if entry == expected => {}
                Some(_) => return Err(TreeError::Changed { path: path.clone(), change: "was changed" }),
            }
        }
        Ok(())
    }
}

/// Reads a tree without following links: a link is as foreign to a manifest as anything else that was not unpacked.
fn walk(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Entry>) -> Result<(), TreeError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TreeError::Io { path, source }
    };
    for entry in fs::read_dir(dir).map_err(failed(dir))? {
        let path = entry.map_err(failed(dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let below = format!("{prefix}{name}");
        let meta = fs::symlink_metadata(&path).map_err(failed(&path))?;
        if meta.is_dir() {
            walk(&path, &format!("{below}/"), found)?;
            found.insert(below, Entry::Directory);
        } else if meta.is_file() {
            let sha256 = hash::sha256_of_file(&path, None).map_err(failed(&path))?;
            let mode = meta.permissions().mode() & 0o7777;
            found.insert(below, Entry::File { size: meta.len(), mode, sha256 });
        } else {
            return Err(TreeError::Changed { path: below, change: "is no plain file any more" });
        }
    }
    Ok(())
}
