//! Process ids of machines of their own: a process there tells the id that it has there, the engine needs its own.

use std::fs;

/// The id that a process has here. It is the connection's other end or an ancestor of that, and `inside` its id in its own
/// namespace, which may be this one.
pub(super) fn pid_here(peer: Option<i32>, inside: u32) -> u32 {
    let mut pid = peer.and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default();
    while pid > 1 {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { break };
        if last_number(&status, "NSpid:") == Some(inside) {
            return pid;
        }
        pid = last_number(&status, "PPid:").unwrap_or_default();
    }
    inside
}

/// The last number of a line: that of the innermost namespace.
fn last_number(status: &str, name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_this_namespace_keeps_its_number_and_an_unknown_one_too() {
        let own = std::process::id();
        assert_eq!(pid_here(i32::try_from(own).ok(), own), own);
        let parent = std::os::unix::process::parent_id();
        assert_eq!(pid_here(i32::try_from(own).ok(), parent), parent);
        assert_eq!(pid_here(None, 4_000_000_000), 4_000_000_000);
    }
}
