//! Symbolic links below the product's directories that lead back to themselves (RS182007, of the custom installer).

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use proto::{FactValue, Probe};
use rustix::io::Errno;

use super::Look;
use super::blocking::blocking;
use crate::host::with_causes;

/// Levels of directories, and entries, that are looked at: the installer makes links near the top, and a look must end.
const BOUNDS: Bounds = Bounds { depth: 6, entries: 20_000 };
/// What the databases and their logs are in: no links, and more files than all the rest.
const DATA: [&str; 3] = ["flash", "log", "persist"];

#[derive(Clone, Copy, Debug)]
struct Bounds {
    depth: usize,
    entries: usize,
}

pub(super) async fn circular_links(look: &Look<'_>) -> Probe<FactValue> {
    let found = match look.product.installation() {
        Ok(found) => found,
        Err(error) => return Probe::Unknown(with_causes(&error)),
    };
    let roots = [&found.install_dir, &found.config_dir, &found.var_dir].map(|path| look.product.rooted(path));
    let var = look.product.rooted(&found.var_dir);
    let data = DATA.map(|name| var.join(name)).into();
    blocking("circular links", move || circular(&roots, data, BOUNDS).map(FactValue::Lines)).await
}

/// What was found, also where not all was looked at: one is one too many. None is known to be none only if all was.
fn circular(roots: &[PathBuf], data: BTreeSet<PathBuf>, bounds: Bounds) -> Result<Vec<String>, String> {
    let mut walk = Walk { bounds, entries: 0, seen: data, found: BTreeSet::new(), missed: None };
    for root in roots {
        walk.directory(root, 0);
    }
    match walk.missed {
        Some(reason) if walk.found.is_empty() => Err(format!("no circular link was found, but {reason}")),
        _ => Ok(walk.found.into_iter().collect()),
    }
}

#[derive(Debug)]
struct Walk {
    bounds: Bounds,
    entries: usize,
    /// Directories that need not be looked at, or not again.
    seen: BTreeSet<PathBuf>,
    found: BTreeSet<String>,
    /// Why not all was looked at.
    missed: Option<String>,
}

impl Walk {
    fn directory(&mut self, path: &Path, depth: usize) {
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        if depth > self.bounds.depth {
            return self.miss(format!("nothing below {} was looked at: it lies too deep", path.display()));
        }
        match fs::read_dir(path) {
            Ok(entries) => entries.for_each(|entry| self.entry(path, entry, depth)),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn entry(&mut self, parent: &Path, entry: io::Result<DirEntry>, depth: usize) {
        self.entries += 1;
        if self.entries > self.bounds.entries {
            return self.miss(format!("only the first {} files were looked at", self.bounds.entries));
        }
        let looked = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
        match looked {
            Ok((path, kind)) if kind.is_symlink() => self.link(parent, &path),
            Ok((path, kind)) if kind.is_dir() => self.directory(&path, depth + 1),
            Ok(_) => {}
            Err(error) => self.unreadable(parent, &error),
        }
    }

    /// A link that leads above itself leads to itself again; one to nowhere leads nowhere.
    fn link(&mut self, parent: &Path, path: &Path) {
        let circular = match fs::canonicalize(path) {
            Ok(target) => fs::canonicalize(parent).map(|parent| parent.starts_with(target)),
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(true),
            Err(error) => Err(error),
        };
        match circular {
            Ok(true) => drop(self.found.insert(path.display().to_string())),
            Ok(false) => {}
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        // It went while the look went on, or was never there.
        if error.kind() != io::ErrorKind::NotFound {
            self.miss(format!("{} cannot be read: {error}", path.display()));
        }
    }

    fn miss(&mut self, reason: String) {
        self.missed.get_or_insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("opt/a/b")).unwrap();
        fs::create_dir_all(root.path().join("var/persist")).unwrap();
        fs::write(root.path().join("opt/a/file"), "").unwrap();
        root
    }

    fn found(root: &Path, bounds: Bounds) -> Result<Vec<String>, String> {
        let data = BTreeSet::from([root.join("var/persist")]);
        let names = circular(&[root.join("opt"), root.join("var"), root.join("gone")], data, bounds)?;
        let below = |name: &String| name.strip_prefix(&format!("{}/", root.display())).map(str::to_owned);
        Ok(names.iter().filter_map(below).collect())
    }

    #[test]
    fn links_to_above_and_to_themselves_are_circular_and_others_are_not() {
        let root = tree();
        let opt = root.path().join("opt");
        for (target, link) in [
            ("..", "a/b/up"),
            ("self", "self"),
            ("two", "one"),
            ("one", "two"),
            (".", "a/here"),
            ("a/file", "fine"),
            ("a/b", "also-fine"),
            ("nowhere", "dangling"),
        ] {
            symlink(target, opt.join(link)).unwrap();
        }
        symlink(".", root.path().join("var/persist/not-looked-at")).unwrap();
        let expected = ["opt/a/b/up", "opt/a/here", "opt/one", "opt/self", "opt/two"];
        assert_eq!(found(root.path(), BOUNDS).unwrap(), expected);
    }

    #[test]
    fn beyond_the_bounds_none_is_not_known_to_be_none() {
        let root = tree();
        assert_eq!(found(root.path(), BOUNDS), Ok(Vec::new()));
        assert!(found(root.path(), Bounds { depth: 1, ..BOUNDS }).unwrap_err().contains("too deep"));
        assert!(found(root.path(), Bounds { entries: 2, ..BOUNDS }).unwrap_err().contains("first 2 files"));
        symlink("self", root.path().join("opt/self")).unwrap();
        assert_eq!(found(root.path(), Bounds { depth: 1, ..BOUNDS }).unwrap(), ["opt/self"]);
    }
}
