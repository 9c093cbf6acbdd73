//! `export` and `prune`.

use std::path::Path;

use super::run::state;
use super::table::{cell, table};
use crate::documents::{ExportDocument, PruneDocument};

/// What was written to a file.
pub fn exported(document: &ExportDocument, file: &Path) -> String {
    let ExportDocument { run, records, .. } = document;
    format!("run {run} with its plan and {} events is in {}\n", records.len(), file.display())
}

/// Which runs were or would be removed, which are kept, and what to do next.
pub fn pruned(document: &PruneDocument) -> String {
    let mut out = format!("{}\n", document.summary);
    if !document.runs.is_empty() {
        let rows = document.runs.iter().map(|row| {
            let ended = row.ended_at.strftime("%Y-%m-%d %H:%MZ").to_string();
            [&row.run, &row.cluster, state(row.state), &ended].map(|text| cell(Some(text))).to_vec()
        });
        out.push_str(&table(&["RUN", "CLUSTER", "STATE", "ENDED"], rows.collect()));
    }
    for row in &document.kept {
        out.push_str(&format!("kept: {}: {}\n", row.run, row.why));
    }
    if !document.removed && !document.runs.is_empty() {
        out.push_str("to remove them, give --yes as well; to keep one in a file first:\n");
        document.next_commands.iter().for_each(|command| out.push_str(&format!("  {command}\n")));
    }
    out
}
