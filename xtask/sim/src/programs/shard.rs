//! Becoming a `redis-server` that dies with the process that asked for it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// Asks the kernel for the signal, then turns into `redis-server`; comes back only with an error. `parent` closes the gap
/// in which the parent may have died before the kernel was asked.
pub fn become_redis(parent: u32, args: &[String]) -> io::Error {
    match die_with_parent(parent) {
        Ok(()) => Command::new("redis-server").args(args).exec(),
        Err(error) => error,
    }
}

/// Makes this process die when its parent does.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let actual = getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    if actual == Some(parent) {
        return Ok(());
    }
    Err(io::Error::other("the parent process is gone"))
}
