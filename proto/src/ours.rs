//! Whose a file is. What is run, or read as an order, with our rights may be changed by nobody else: not the file, not a
//! directory that leads to it, not a link on the way.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// More links than this on one way are a circle.
const MOST_LINKS: usize = 40;
/// Set on directories such as `/tmp`, in which only the owner of a file may move or remove it.
const STICKY: u32 = 0o1000;

/// What is thought of directories that everybody may write to and only owners may remove from, such as `/tmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sticky {
    /// Nothing of ours belongs there.
    Refused,
    /// What is ours in there stays ours: nobody else can move, remove or replace it.
    Accepted,
}

/// Why a file is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotOurs {
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Follows a path from the root and proves that it and every directory and link on the way belongs to root or to the user
/// `own`, and that nobody else may write there. Where it leads: a path without links.
///
/// # Errors
/// [`NotOurs`], with the first thing on the way that is not.
pub fn only_ours(path: &Path, own: u32, sticky: Sticky) -> Result<PathBuf, NotOurs> {
    if !path.is_absolute() {
        let remedy = "write the whole path, from / on".to_owned();
        return Err(NotOurs { reason: format!("{} is not an absolute path", path.display()), remedy });
    }
    let mut way = Way { at: PathBuf::from("/"), ahead: names(path), links: 0 };
    let top = fs::symlink_metadata("/").map_err(|error| unreadable(&way.at, &error))?;
    fit(&way.at, &top, own, sticky)?;
    while let Some(name) = way.ahead.pop_front() {
        way.step(&name, own, sticky)?;
    }
    Ok(way.at)
}

/// A path as far as it was followed.
struct Way {
    at: PathBuf,
    ahead: VecDeque<OsString>,
    links: usize,
}

impl Way {
    fn step(&mut self, name: &OsString, own: u32, sticky: Sticky) -> Result<(), NotOurs> {
        if name == ".." {
            self.at.pop();
            return Ok(());
        }
        let next = self.at.join(name);
        let metadata = fs::symlink_metadata(&next).map_err(|error| unreadable(&next, &error))?;
        if metadata.is_symlink() {
            return self.follow(&next, &metadata, own);
        }
        fit(&next, &metadata, own, sticky)?;
        self.at = next;
        Ok(())
    }

    /// The mode of a link means nothing; its owner could put another one in its place where the directory is sticky.
    fn follow(&mut self, link: &Path, metadata: &Metadata, own: u32) -> Result<(), NotOurs> {
        belongs(link, metadata, own)?;
        self.links += 1;
        if self.links > MOST_LINKS {
            let remedy = format!("see where it leads: namei -l {}", link.display());
            return Err(NotOurs { reason: format!("{} leads in a circle", link.display()), remedy });
        }
        let target = fs::read_link(link).map_err(|error| unreadable(link, &error))?;
        if target.is_absolute() {
            self.at = PathBuf::from("/");
        }
        for name in names(&target).into_iter().rev() {
            self.ahead.push_front(name);
        }
        Ok(())
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

fn fit(path: &Path, metadata: &Metadata, own: u32, sticky: Sticky) -> Result<(), NotOurs> {
    belongs(path, metadata, own)?;
    let pardoned = sticky == Sticky::Accepted && metadata.is_dir() && metadata.mode() & STICKY != 0;
    if metadata.mode() & 0o022 == 0 || pardoned {
        return Ok(());
    }
    let path = path.display();
    let reason = format!("{path} can be written by its group or by everybody");
    let remedy = match metadata.is_dir() && metadata.mode() & STICKY != 0 {
        true => format!("move what lies in {path} to a directory of root's, such as /etc/ratchet"),
        false => format!("chmod go-w {path}"),
    };
    Err(NotOurs { reason, remedy })
}

/// Whoever owns it decides what is in it.
fn belongs(path: &Path, metadata: &Metadata, own: u32) -> Result<(), NotOurs> {
    if metadata.uid() == 0 || metadata.uid() == own {
        return Ok(());
    }
    let (path, owner) = (path.display(), metadata.uid());
    let reason = format!("{path} belongs to user {owner}, who is neither root nor the one it is used by");
    Err(NotOurs { reason, remedy: format!("chown -h root {path}") })
}

fn unreadable(path: &Path, error: &io::Error) -> NotOurs {
    let path = path.display();
    NotOurs { reason: format!("{path} cannot be read: {error}"), remedy: format!("see to it: ls -ld {path}") }
}

/// Whether a file that holds a secret can be read by everybody, in words; `None` if not, or if there is no such file:
/// whoever reads it says that better.
pub fn readable_by_all(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.mode() & 0o777;
    let path = path.display();
    (mode & 0o007 != 0).then(|| {
        format!(
            "{path} has mode {mode:04o}, and holds a secret that everybody can get at; run `chmod o= {path}`"
        )
    })
}

#[cfg(test)]
mod tests;
