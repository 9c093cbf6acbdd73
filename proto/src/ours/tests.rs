use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::*;

/// A directory tree `a/b/c` with a file `answers` in it, below a temporary directory.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(tree.at("a/b/c")).unwrap();
        fs::write(tree.at("a/b/c/answers"), "x").unwrap();
        for name in ["a", "a/b", "a/b/c", "a/b/c/answers"] {
            tree.mode(name, 0o755);
        }
        tree
    }

    /// Without links, as where temporary directories are may be one.
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn judge(&self, name: &str) -> Result<PathBuf, String> {
        only_ours(&self.at(name), own(), Sticky::Accepted).map_err(|error| error.reason)
    }
}

fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[test]
fn whatever_on_the_way_others_may_write_is_named() {
    let tree = Tree::new();
    assert_eq!(tree.judge("a/b/c/answers"), Ok(tree.at("a/b/c/answers")));
    for name in ["a", "a/b", "a/b/c", "a/b/c/answers"] {
        for mode in [0o775, 0o757, 0o777, 0o720] {
            tree.mode(name, mode);
            let error = only_ours(&tree.at("a/b/c/answers"), own(), Sticky::Accepted).unwrap_err();
            let named = format!("{} can be written", tree.at(name).display());
            assert!(error.reason.starts_with(&named), "{name} {mode:o}: {error}");
            assert!(error.remedy.contains("chmod go-w"), "{error:?}");
        }
        tree.mode(name, 0o755);
    }
    assert!(tree.judge("a/b/c/answers").is_ok());
}

#[test]
fn a_sticky_directory_is_a_matter_of_opinion_and_a_sticky_file_is_not() {
    let tree = Tree::new();
    tree.mode("a/b", 0o1777);
    assert!(tree.judge("a/b/c/answers").is_ok());
    let strict = only_ours(&tree.at("a/b/c/answers"), own(), Sticky::Refused).unwrap_err();
    assert!(strict.reason.contains("can be written") && strict.remedy.contains("move"), "{strict:?}");
    tree.mode("a/b", 0o755);
    tree.mode("a/b/c/answers", 0o1777);
    assert!(tree.judge("a/b/c/answers").unwrap_err().contains("answers can be written"));
}

#[test]
fn links_are_followed_and_where_they_lead_through_counts() {
    let tree = Tree::new();
    fs::create_dir(tree.at("open")).unwrap();
    fs::write(tree.at("open/answers"), "x").unwrap();
    tree.mode("open", 0o777);
    symlink("../../../open/answers", tree.at("a/b/c/astray")).unwrap();
    assert!(tree.judge("a/b/c/astray").unwrap_err().contains("open can be written"));
    symlink(tree.at("open"), tree.at("a/dir")).unwrap();
    assert!(tree.judge("a/dir/answers").unwrap_err().contains("open can be written"));
    symlink("b/../b/c/answers", tree.at("a/inner")).unwrap();
    assert_eq!(tree.judge("a/inner"), Ok(tree.at("a/b/c/answers")), "the way has no links any more");
    // Out of an open directory again: what is written there is the link.
    symlink(tree.at("a/b/c/answers"), tree.at("open/back")).unwrap();
    assert!(tree.judge("open/back").unwrap_err().contains("open can be written"));
    assert!(tree.judge("open/../a/b/c/answers").unwrap_err().contains("open can be written"));
}

#[test]
fn circles_dangling_links_missing_files_and_relative_paths_end() {
    let tree = Tree::new();
    symlink("circle", tree.at("circle")).unwrap();
    assert!(tree.judge("circle").unwrap_err().contains("circle"));
    symlink("nowhere", tree.at("dangling")).unwrap();
    assert!(tree.judge("dangling").unwrap_err().contains("nowhere cannot be read"));
    assert!(tree.judge("a/none").unwrap_err().contains("none cannot be read"));
    let relative = only_ours(Path::new("etc/answers"), own(), Sticky::Accepted).unwrap_err();
    assert!(relative.reason.contains("not an absolute path"));
    assert_eq!(only_ours(Path::new("/../.."), own(), Sticky::Accepted), Ok(PathBuf::from("/")));
}

#[test]
fn what_belongs_to_others_is_named_with_its_owner() {
    let tree = Tree::new();
    symlink("b/c/answers", tree.at("a/link")).unwrap();
    if own() != 0 {
        // Only root can give a file away; anybody else looks with another's eyes.
        let theirs = only_ours(&tree.at("a/b/c/answers"), own() + 1, Sticky::Accepted).unwrap_err();
        assert!(theirs.reason.contains("belongs to user"), "{theirs}");
        return;
    }
    for name in ["a", "a/b/c/answers"] {
        chown(tree.at(name), Some(54_321), None).unwrap();
        assert!(tree.judge("a/b/c/answers").unwrap_err().contains("belongs to user 54321"), "{name}");
        assert!(only_ours(&tree.at("a/b/c/answers"), 54_321, Sticky::Accepted).is_ok(), "{name}");
        chown(tree.at(name), Some(0), None).unwrap();
    }
    std::os::unix::fs::lchown(tree.at("a/link"), Some(54_321), None).unwrap();
    assert!(tree.judge("a/link").unwrap_err().contains("link belongs to user 54321"));
}

#[test]
fn secrets_that_everybody_can_read_are_told() {
    let tree = Tree::new();
    for (mode, told) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true), (0o606, true)] {
        tree.mode("a/b/c/answers", mode);
        assert_eq!(readable_by_all(&tree.at("a/b/c/answers")).is_some(), told, "{mode:o}");
    }
    assert_eq!(readable_by_all(&tree.at("none")), None);
}
