//! Processes, as `/proc` shows them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A process, with what of it could be read.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// The program's name, at most 15 characters of it.
    pub(super) name: Option<String>,
    /// The program's file.
    pub(super) program: Option<PathBuf>,
    directory: PathBuf,
}

/// All processes below a `/proc`, ascending. Blocks.
///
/// # Errors
/// When they cannot be listed, or the kernel hides those of others (`hidepid`).
pub(super) fn processes(proc: &Path) -> Result<Vec<Process>, String> {
    let shown = proc.display();
    let entries = fs::read_dir(proc).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    // The first process is always there and somebody else's.
    if proc == Path::new("/proc") && !proc.join("1/comm").exists() {
        return Err(format!("{shown} hides processes of other users (hidepid); run the agent as root"));
    }
    Ok(pids.into_iter().map(|pid| process(proc, pid)).collect())
}

fn process(proc: &Path, pid: u32) -> Process {
    let directory = proc.join(pid.to_string());
    let name = fs::read_to_string(directory.join("comm")).ok().map(|name| name.trim_end().to_owned());
    let program = fs::read_link(directory.join("exe")).ok();
    Process { pid, name: name.filter(|name| !name.is_empty()), program, directory }
}

impl Process {
    /// The user it runs as.
    pub(super) fn user(&self) -> Option<u32> {
        fs::metadata(&self.directory).ok().map(|metadata| metadata.uid())
    }

    /// The sockets it holds open; none where the agent may not look.
    fn sockets(&self) -> Vec<u64> {
        let open = fs::read_dir(self.directory.join("fd")).into_iter().flatten();
        let targets = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        targets.filter_map(|target| socket(&target)).collect()
    }
}

/// The number in `socket:[4711]`.
fn socket(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Who holds each socket open: of several processes the first, which most often is the one that forked the others.
pub(super) fn holders(processes: &[Process]) -> BTreeMap<u64, &Process> {
    let mut holders = BTreeMap::new();
    for process in processes {
        for inode in process.sockets() {
            holders.entry(inode).or_insert(process);
        }
    }
    holders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_them_with_its_sockets() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let all = processes(Path::new("/proc")).unwrap();
        let me = all.iter().find(|process| process.pid == std::process::id()).unwrap();
        assert_eq!(me.program.as_deref(), std::env::current_exe().ok().as_deref());
        assert_eq!(me.user(), Some(rustix::process::geteuid().as_raw()));
        assert!(me.name.is_some());
        let file = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&listener));
        let inode = socket(&fs::read_link(file).unwrap()).unwrap();
        assert_eq!(holders(&all)[&inode].pid, me.pid);
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_no_proc_is_an_error() {
        let proc = tempfile::tempdir().unwrap();
        fs::create_dir_all(proc.path().join("7")).unwrap();
        fs::create_dir_all(proc.path().join("net")).unwrap();
        let all = processes(proc.path()).unwrap();
        assert_eq!(all.len(), 1);
        assert!(all[0].name.is_none() && all[0].program.is_none() && holders(&all).is_empty());
        assert!(processes(Path::new("/nonexistent")).is_err());
    }
}
