//! `[hooks]`: the operator's own programs at fixed points of an upgrade.

use super::reader::{Mistakes, Reader};
use super::{DEFAULT_HOOK_DEADLINE, HooksConfig, files};

/// Its keys.
pub(super) const KEYS: [&str; 2] = ["directory", "deadline"];

/// No table, no hooks. A table without a directory is a mistake: somebody believes that there are some.
pub(super) fn hooks(table: Option<Reader>, mistakes: &mut Mistakes) -> Option<HooksConfig> {
    let mut table = table?;
    let directory = files::file(&mut table, "directory", mistakes);
    if directory.is_none() {
        mistakes.note("hooks.directory", "it is missing", "name the directory that the hooks are in");
    }
    let deadline = table.span("deadline", mistakes).unwrap_or(DEFAULT_HOOK_DEADLINE);
    table.finish(&KEYS, mistakes);
    Some(HooksConfig { directory: directory?, deadline })
}
