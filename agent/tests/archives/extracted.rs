//! What a program made of an archive, as far as it is compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use agent::package::{Entry, Limits, UnpackError, survey};
use proto::Sha256;

/// A directory, or a file with its content and whether it is a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    Directory,
    File { sha256: Sha256, is_program: bool },
}

pub type Tree = BTreeMap<String, Made>;

/// What is below a directory.
pub fn tree(dir: &Path) -> Tree {
    let mut found = Tree::new();
    look(dir, "", &mut found);
    found
}

fn look(dir: &Path, prefix: &str, found: &mut Tree) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        let meta = fs::symlink_metadata(&path).unwrap();
        let mode = meta.permissions().mode();
        assert!(meta.is_dir() || meta.is_file(), "{name} is neither");
        // Whoever is not root needs the right to look.
        let readable = if meta.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode | readable)).unwrap();
        if meta.is_dir() {
            look(&path, &format!("{name}/"), found);
            found.insert(name, Made::Directory);
        } else {
            let sha256 = Sha256::of(&fs::read(&path).unwrap());
            let is_program = mode & 0o111 != 0 || name == "install.sh";
            found.insert(name, Made::File { sha256, is_program });
        }
    }
}

/// What we would make of it.
pub fn ours(bytes: &[u8]) -> Result<Tree, UnpackError> {
    let made = |entry| match entry {
        Entry::Directory => Made::Directory,
        Entry::File { sha256, mode, .. } => Made::File { sha256, is_program: mode & 0o111 != 0 },
    };
    Ok(survey(bytes, Limits::default())?.into_iter().map(|(path, entry)| (path, made(entry))).collect())
}
