//! `[hooks]`: the operator's own programs at fixed points of an upgrade.

use super::reader::{Mistakes, Reader};
use super::{DEFAULT_HOOK_DEADLINE, HooksConfig, files};

/// Its keys.
pub(super) const KEYS: [&str; 2] = ["directory", "deadline"];

/// Hooks are run only where a directory is named.
pub(super) fn hooks(table: Option<Reader>, mistakes: &mut Mistakes) -> Option<HooksConfig> {
    let mut table = table?;
    let directory = files::file(&mut table, "directory", mistakes);
    let deadline = table.span("deadline", mistakes).unwrap_or(DEFAULT_HOOK_DEADLINE);
    table.finish(&KEYS, mistakes);
    Some(HooksConfig { directory: directory?, deadline })
}
