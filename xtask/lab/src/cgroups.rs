//! Control groups of a lab. Two systemds in one group would manage each other's units.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};

/// What every lab's name begins with; the number of its process follows.
pub(crate) const PREFIX: &str = "ratchet-lab-";

/// The groups of one lab. Removed when dropped, which works once nothing runs in them.
#[derive(Debug)]
pub(crate) struct Cgroups {
    name: String,
}

impl Cgroups {
    /// Makes the groups, and removes those that killed labs left behind.
    pub(crate) fn make(name: &str) -> Result<Self> {
        sweep();
        let made = Self { name: name.to_owned() };
        for group in groups(name) {
            fs::create_dir(&group).with_context(|| format!("cannot make the group {}", group.display()))?;
        }
        Ok(made)
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        groups(&self.name).for_each(|group| remove(&group));
    }
}

/// A lab's groups: one in the unified hierarchy, and one in systemd's own where there is such a thing.
pub(crate) fn groups(name: &str) -> impl Iterator<Item = PathBuf> {
    roots().map(move |root| root.join(name))
}

/// Makes the groups of one node within its lab's.
pub(crate) fn for_node(lab: &str, node: &str) -> Result<Vec<PathBuf>> {
    let made = groups(lab).map(|group| group.join(node));
    let made = made.map(|group| match fs::create_dir(&group) {
        // Of an earlier boot.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(group),
        done => done.map(|()| group.clone()).with_context(|| group.display().to_string()),
    });
    made.collect()
}

fn roots() -> impl Iterator<Item = PathBuf> {
    let is_group = |root: &PathBuf| root.join("cgroup.procs").exists();
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"]
        .map(PathBuf::from)
        .into_iter()
        .filter(is_group)
}

/// Removes the groups of labs whose process is gone.
fn sweep() {
    let left = roots().filter_map(|root| fs::read_dir(root).ok()).flatten().filter_map(io::Result::ok);
    for group in left {
        let name = group.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(&group.path());
        }
    }
}

/// Innermost first. One that is still in use stays, for the next lab to sweep.
fn remove(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().filter_map(io::Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _in_use = fs::remove_dir(group);
}
