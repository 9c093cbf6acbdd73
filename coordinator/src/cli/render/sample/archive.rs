//! Runs that are over: documents for tests.

use super::{at, plan_answer};
use crate::documents::{ExportDocument, ExportedEvent, KeptRow, PruneDocument, PrunedRow, RunState};

/// A run of one event.
pub(crate) fn exported() -> ExportDocument {
    let event = serde_json::json!({"claimed": {"node": 1}});
    ExportDocument {
        schema: "ratchet.export/1".to_owned(),
        made_at: at(0),
        run: "orders-1".to_owned(),
        cluster: "orders".to_owned(),
        target: "7.4.6-22".to_owned(),
        state: RunState::Done,
        plan: plan_answer().plan.unwrap(),
        plan_digest: "cd".repeat(32),
        records: vec![ExportedEvent {
            seq: 1,
            epoch: 4,
            at: at(-60).to_string(),
            format: 1,
            body: event.to_string(),
            event,
            chain: "ab".repeat(32),
        }],
    }
}

/// One run that goes, and one that stays.
pub(crate) fn pruned(removed: bool) -> PruneDocument {
    let (run, cluster) = ("orders-1".to_owned(), "orders".to_owned());
    PruneDocument {
        schema: "ratchet.prune/1".to_owned(),
        before: at(0),
        removed,
        runs: vec![PrunedRow { run, cluster, state: RunState::Done, ended_at: at(-60) }],
        kept: vec![KeptRow { run: "billing-1".to_owned(), why: "it belongs to june".to_owned() }],
        summary: "1 run was over before then".to_owned(),
        next_commands: vec!["ratchet export orders-1 --to orders-1.json".to_owned()],
    }
}
