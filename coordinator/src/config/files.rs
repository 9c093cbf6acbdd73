//! Keys that name a file or a directory.

use std::path::PathBuf;

use super::reader::{Mistakes, Reader};

/// A path that may be left out. Relative ones are refused: the same configuration must mean the same wherever a command
/// is typed.
pub(super) fn file(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<PathBuf> {
    let remedy = "write an absolute path";
    let text = reader.text(name, remedy, mistakes)?;
    if !text.starts_with('/') {
        mistakes.note(&reader.key(name), format!("`{text}` is not an absolute path"), remedy);
    }
    Some(text.into())
}
