//! Which hooks there are: the executables of a point's directory, in the order of their names. What others could have
//! written is not run, and is named.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::HookPoint;
use crate::ours::{self, NotOurs, Sticky};

/// One entry of a point's directory.
#[derive(Debug)]
pub(super) enum Entry {
    /// A hook.
    Hook {
        /// The name of its file.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// Something that must not be run.
    Unfit(Unfit),
}

/// Why something must not be run, or cannot be looked at.
#[derive(Debug)]
pub(super) struct Unfit {
    /// The name of its file, or the point's word.
    pub(super) name: String,
    /// Why.
    pub(super) reason: String,
    /// What to do about it.
    pub(super) remedy: String,
}

/// The entries of a point, in the order of their names; none if it has no directory. `own` is the user that hooks run as.
pub(super) fn entries(directory: &Path, point: HookPoint, own: u32) -> Result<Vec<Entry>, Unfit> {
    let of_point = |(reason, remedy)| Unfit { name: point.word().to_owned(), reason, remedy };
    let metadata = fs::metadata(directory).map_err(|error| {
        let reason = format!("the directory of hooks {} cannot be read: {error}", directory.display());
        of_point((reason, format!("create it: mkdir -m 755 {}; or remove [hooks]", directory.display())))
    })?;
    fit_directory(directory, &metadata, own).map_err(of_point)?;
    let place = directory.join(point.word());
    let metadata = match fs::metadata(&place) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(&place).is_err() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(of_point(unreadable(&place, &error))),
    };
    fit_directory(&place, &metadata, own).map_err(of_point)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&place).map_err(|error| of_point(unreadable(&place, &error)))? {
        names.push(entry.map_err(|error| of_point(unreadable(&place, &error)))?.file_name());
    }
    names.retain(|name| !name.as_bytes().starts_with(b".") && !name.as_bytes().ends_with(b"~"));
    names.sort();
    Ok(names.iter().map(|name| entry(&place.join(name), &shown(name), own)).collect())
}

/// A name that can be shown on a terminal.
fn shown(name: &OsStr) -> String {
    name.to_string_lossy().replace(char::is_control, " ")
}

fn unreadable(path: &Path, error: &std::io::Error) -> (String, String) {
    (format!("{} cannot be read: {error}", path.display()), format!("see to it: ls -ld {}", path.display()))
}

fn entry(path: &Path, name: &str, own: u32) -> Entry {
    let fit = match fs::metadata(path) {
        Ok(metadata) => fit_file(path, &metadata, own),
        Err(error) => Err(unreadable(path, &error)),
    };
    match fit {
        Ok(()) => Entry::Hook { name: name.to_owned(), path: path.to_owned() },
        Err((reason, remedy)) => Entry::Unfit(Unfit { name: name.to_owned(), reason, remedy }),
    }
}

type Fit = Result<(), (String, String)>;

fn fit_directory(path: &Path, metadata: &Metadata, own: u32) -> Fit {
    if !metadata.is_dir() {
        let remedy = format!("put a directory in its place: {}", path.display());
        return Err((format!("{} is no directory", path.display()), remedy));
    }
    only_ours(path, own)
}

fn fit_file(path: &Path, metadata: &Metadata, own: u32) -> Fit {
    if !metadata.is_file() {
        let remedy = format!("move it out of the directory of hooks: {}", path.display());
        return Err((format!("{} is no file", path.display()), remedy));
    }
    only_ours(path, own)?;
    if metadata.mode() & 0o111 == 0 {
        let remedy = format!("chmod +x {0}; or move it away, or begin its name with a dot", path.display());
        return Err((format!("{} is not executable", path.display()), remedy));
    }
    Ok(())
}

/// Whoever may write it, or any directory on the way to it, decides what is run with our rights.
fn only_ours(path: &Path, own: u32) -> Fit {
    let judged = ours::only_ours(path, own, Sticky::Accepted);
    judged.map(drop).map_err(|NotOurs { reason, remedy }| (reason, remedy))
}
