//! Whether somebody else has changed the cluster while the run is under way (design §6). Pure.

use super::Run;
use crate::fingerprint::{Change, Comparison, compare, read};
use crate::snapshot::Snapshot;

/// What somebody else has changed since the plan was made, or since a person acknowledged the last change.
pub(super) fn judge_foreign(run: &Run, snapshot: &Snapshot) -> Comparison {
    let Some(before) = &run.configuration else { return Comparison::Same };
    let own: Vec<String> = run.open_settings().map(|(setting, _)| format!("cluster: {setting}")).collect();
    compare(before, &read(snapshot), &own)
}

/// What was known and cannot be read any more, as changes: a person may say that it does not matter, so that no run is
/// stuck behind a tool that has stopped telling.
pub(super) fn lost(run: &Run, keys: &[(String, String)]) -> Vec<Change> {
    let before = |key: &String| run.configuration.as_ref()?.0.get(key).cloned();
    keys.iter().map(|(key, _)| Change { key: key.clone(), before: before(key), after: None }).collect()
}
