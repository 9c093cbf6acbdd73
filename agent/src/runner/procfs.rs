//! Processes, as `/proc` shows them.

use std::collections::HashMap;
use std::fs;
use std::io;

use rustix::process::{Pid, Signal, kill_process};

use super::Process;

/// The kernel's id of this boot.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// A process by its number, if it is there and not a zombie.
pub(super) fn process(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let stat = parse_stat(&stat)?;
    (!stat.zombie).then_some(Process { pid, start_time: stat.start_time })
}

/// Whether this very process still lives.
pub(super) fn is_alive(known: Process) -> bool {
    process(known.pid) == Some(known)
}

/// Sends a signal to every living process below `ancestor`; how many there were. Those that are orphaned stay below
/// an ancestor that is their subreaper.
pub(super) fn signal_descendants(ancestor: i32, signal: Signal) -> usize {
    let below = descendants(ancestor);
    for pid in below.iter().filter_map(|&pid| Pid::from_raw(pid)) {
        // One that has just gone needs no signal.
        let _gone = kill_process(pid, signal);
    }
    below.len()
}

/// Every living process below `ancestor`.
fn descendants(ancestor: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<(i32, bool)>> = HashMap::new();
    for pid in all_pids() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        if let Some(stat) = stat.as_deref().and_then(parse_stat) {
            children.entry(stat.parent).or_default().push((pid, stat.zombie));
        }
    }
    let (mut found, mut open) = (Vec::new(), vec![ancestor]);
    while let Some(parent) = open.pop() {
        for (pid, zombie) in children.remove(&parent).unwrap_or_default() {
            open.push(pid);
            if !zombie {
                found.push(pid);
            }
        }
    }
    found
}

fn all_pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

struct Stat {
    parent: i32,
    start_time: u64,
    zombie: bool,
}

/// The name in parentheses may hold anything, also blanks and parentheses: fields are counted behind its last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_process_name_does_not_shift_the_fields() {
        let tail = (4..=30).map(|field| field.to_string()).collect::<Vec<_>>().join(" ");
        let stat = parse_stat(&format!("7 (a) R 1 (b) S {tail}")).unwrap();
        assert_eq!((stat.parent, stat.start_time, stat.zombie), (4, 22, false));
        assert!(parse_stat("7 (a").is_none());
    }

    #[test]
    fn this_process_lives_and_one_with_another_start_does_not() {
        let me = process(std::process::id().try_into().unwrap()).unwrap();
        assert!(is_alive(me));
        assert!(!is_alive(Process { start_time: me.start_time + 1, ..me }));
    }
}
