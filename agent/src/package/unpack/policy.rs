//! Which entries are allowed beside each other. Knows no file system: only what was let in before.

use std::collections::BTreeMap;

use super::super::manifest::Entry;
use super::limits::{Limits, NAME};
use super::reason::{Reason, shown};

/// What was let in so far.
#[derive(Debug)]
pub(super) struct Tree {
    limits: Limits,
    entries: BTreeMap<String, Entry>,
}

/// Where an entry goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Its plain path; empty for the tree itself.
    pub(super) path: String,
    /// The directories that have to be made for it, from the top.
    pub(super) to_make: Vec<String>,
}

impl Tree {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, entries: BTreeMap::new() }
    }

    pub(super) fn into_entries(self) -> BTreeMap<String, Entry> {
        self.entries
    }

    /// Lets in a directory. One that was made because a file lies in it may be named later, and any may be named twice.
    pub(super) fn directory(&mut self, name: &[u8]) -> Result<Spot, Reason> {
        let path = self.path(name)?;
        let to_make = self.directories(&path, &path)?;
        Ok(Spot { path, to_make })
    }

    /// Where a file may be written. It is let in when it is there: [`Self::add`].
    pub(super) fn file(&mut self, name: &[u8]) -> Result<Spot, Reason> {
        let path = self.path(name)?;
        if path.is_empty() {
            return Err(Reason::NoName);
        }
        if name.ends_with(b"/") || name.ends_with(b"/.") {
            return Err(Reason::NamedLikeDirectory);
        }
        if self.entries.contains_key(&path) {
            return Err(Reason::Twice);
        }
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let to_make = self.directories(above, &path)?;
        self.make_room()?;
        Ok(Spot { path, to_make })
    }

    pub(super) fn add(&mut self, path: String, file: Entry) {
        self.entries.insert(path, file);
    }

    /// The path in its plain form. Only an empty one (`./`) names the tree itself.
    fn path(&self, name: &[u8]) -> Result<String, Reason> {
        if name.is_empty() {
            return Err(Reason::NoName);
        }
        if name.len() as u64 > self.limits.path {
            return Err(Reason::LongPath(self.limits.path));
        }
        check_bounds(name)?;
        let text = std::str::from_utf8(name).map_err(|_| Reason::NotUtf8)?;
        if text.chars().any(char::is_control) {
            return Err(Reason::Control);
        }
        if text.contains('\\') {
            return Err(Reason::Backslash);
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.iter().any(|part| part.len() > NAME) {
            return Err(Reason::LongPart);
        }
        if parts.len() as u64 > self.limits.depth {
            return Err(Reason::Deep(self.limits.depth));
        }
        Ok(parts.join("/"))
    }

    /// The directories of `path`, itself included, that are not there yet; from now on they are. They are for `entry`.
    fn directories(&mut self, path: &str, entry: &str) -> Result<Vec<String>, Reason> {
        let mut made = Vec::new();
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for directory in ends.map(|end| &path[..end]).filter(|directory| !directory.is_empty()) {
            match self.entries.get(directory) {
                Some(Entry::Directory) => {}
                Some(Entry::File { .. }) if directory == entry => return Err(Reason::Twice),
                Some(Entry::File { .. }) => return Err(Reason::BelowFile(shown(directory.as_bytes()))),
                None => {
                    self.make_room()?;
                    self.entries.insert(directory.to_owned(), Entry::Directory);
                    made.push(directory.to_owned());
                }
            }
        }
        Ok(made)
    }

    /// Directories that nobody named count, too: a short name can need many.
    fn make_room(&self) -> Result<(), Reason> {
        let is_full = self.entries.len() as u64 >= self.limits.entries;
        if is_full { Err(Reason::Entries(self.limits.entries)) } else { Ok(()) }
    }
}

/// Whether a name stays where it is put. Asked of names that are overridden, too: another program may take those.
pub(super) fn check_bounds(name: &[u8]) -> Result<(), Reason> {
    let leads_out = name.starts_with(b"/") || name.split(|&byte| byte == b'/').any(|part| part == b"..");
    if leads_out { Err(Reason::LeadsOut) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        Tree::new(Limits { entries: 8, path: 40, depth: 3, ..Limits::default() })
    }

    fn write(tree: &mut Tree, name: &str) -> Result<Vec<String>, Reason> {
        let spot = tree.file(name.as_bytes())?;
        tree.add(spot.path, Entry::File { size: 0, mode: 0o644, sha256: proto::Sha256::of(b"") });
        Ok(spot.to_make)
    }

    #[test]
    fn every_way_to_write_a_name_is_the_same_name() {
        for (first, second) in [("a", "./a"), ("a/b", "a//b"), ("a/b", "./a/./b"), (".//a", "a")] {
            let mut tree = tree();
            write(&mut tree, first).unwrap();
            assert_eq!(write(&mut tree, second), Err(Reason::Twice), "{first} {second}");
            assert_eq!(tree.directory(format!("{second}/").as_bytes()), Err(Reason::Twice));
        }
    }

    #[test]
    fn directories_are_made_once_and_never_through_files() {
        let mut tree = tree();
        assert_eq!(write(&mut tree, "a/b/c").unwrap(), ["a", "a/b"]);
        assert_eq!(tree.directory(b"a/b/").unwrap().to_make, [""; 0]);
        assert_eq!(tree.directory(b"./").unwrap(), Spot { path: String::new(), to_make: Vec::new() });
        assert_eq!(write(&mut tree, "a"), Err(Reason::Twice));
        assert_eq!(write(&mut tree, "a/b/c/d"), Err(Reason::Deep(3)));
        write(&mut tree, "f").unwrap();
        assert_eq!(write(&mut tree, "f/x"), Err(Reason::BelowFile("f".to_owned())));
    }

    #[test]
    fn directories_that_nobody_named_use_up_the_entries() {
        let mut tree = tree();
        for name in ["a/b/c", "d/e/f", "g"] {
            write(&mut tree, name).unwrap();
        }
        assert_eq!(write(&mut tree, "h/i"), Err(Reason::Entries(8)));
    }

    #[test]
    fn names_that_are_no_plain_ones_are_refused() {
        let long = format!("{}/{}", "a".repeat(20), "b".repeat(20));
        for (name, reason) in [
            ("", Reason::NoName),
            (".", Reason::NoName),
            ("./", Reason::NoName),
            ("/etc/passwd", Reason::LeadsOut),
            ("a/../b", Reason::LeadsOut),
            ("..", Reason::LeadsOut),
            ("a\nb", Reason::Control),
            ("a\u{9b}b", Reason::Control),
            ("a\\b", Reason::Backslash),
            ("a/", Reason::NamedLikeDirectory),
            ("a/.", Reason::NamedLikeDirectory),
            (&long, Reason::LongPath(40)),
        ] {
            assert_eq!(tree().file(name.as_bytes()), Err(reason), "{name:?}");
        }
        assert_eq!(tree().file(b"a\xff"), Err(Reason::NotUtf8));
        let wide = Tree::new(Limits::default()).file(&[b'a'; 256]);
        assert_eq!(wide, Err(Reason::LongPart));
        write(&mut tree(), "..a/...").unwrap();
    }
}
