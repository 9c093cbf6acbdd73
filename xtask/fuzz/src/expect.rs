//! What must hold of any reader's answer.

use std::borrow::Cow;
use std::fmt::Debug;
use std::path::PathBuf;

/// The bytes as the agent takes a program's output: what is no UTF-8 becomes a sign for that.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// An answer is at most so many times as large as what it came from, and a little: nobody can make the reader fill the
/// memory with a few bytes.
///
/// # Panics
/// It is larger.
pub fn in_proportion(answer: &impl Debug, input: usize, times: usize) {
    let size = format!("{answer:?}").len();
    assert!(size <= 4096 + input.saturating_mul(times), "{input} bytes became {size}");
}

/// A directory in memory, so that files cost no disk.
///
/// # Panics
/// It cannot be made.
pub fn directory() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap_or_else(|error| panic!("no temporary directory: {error}"))
}
