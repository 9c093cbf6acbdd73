//! A file system as it is: names, types, modes, sizes, contents and targets of links.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use proto::Sha256;

/// What one path is.
#[derive(Debug, PartialEq, Eq)]
pub enum Node {
    Directory { mode: u32 },
    File { mode: u32, size: u64, links: u64, sha256: Sha256 },
    Link { target: PathBuf },
    Other,
}

/// Everything below a directory, itself included. Links are not followed.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Node> {
    let mut found = BTreeMap::new();
    look(dir, &mut found);
    found
}

fn look(path: &Path, found: &mut BTreeMap<PathBuf, Node>) {
    let meta = fs::symlink_metadata(path).unwrap();
    let mode = meta.permissions().mode() & 0o7777;
    let node = if meta.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| look(&entry.unwrap().path(), found));
        Node::Directory { mode }
    } else if meta.is_file() {
        let sha256 = Sha256::of(&fs::read(path).unwrap());
        Node::File { mode, size: meta.len(), links: meta.nlink(), sha256 }
    } else if meta.is_symlink() {
        Node::Link { target: fs::read_link(path).unwrap() }
    } else {
        Node::Other
    };
    found.insert(path.to_owned(), node);
}
