//! A server with all processes that it has started: each has a process group of its own, so they are found by parent.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Freezes them: no process of the server does anything any more, and nobody is told.
pub(crate) fn freeze(postmaster: u32) {
    // The parent first: it starts nobody meanwhile.
    signal(postmaster, Signal::STOP);
    children(postmaster).into_iter().for_each(|child| signal(child, Signal::STOP));
}

/// Lets frozen ones go on.
pub(crate) fn thaw(postmaster: u32) {
    children(postmaster).into_iter().for_each(|child| signal(child, Signal::CONT));
    signal(postmaster, Signal::CONT);
}

/// Kills them all, at once.
pub(crate) fn kill(postmaster: u32) {
    freeze(postmaster);
    children(postmaster).into_iter().for_each(|child| signal(child, Signal::KILL));
    signal(postmaster, Signal::KILL);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = pid.try_into().ok().and_then(Pid::from_raw) {
        // One that has ended meanwhile needs no signal.
        let _ended = kill_process(pid, signal);
    }
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// The second field after the program's name, which is in brackets and may hold anything.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
