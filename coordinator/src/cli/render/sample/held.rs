//! Clusters in other hands, settings that were changed, agents' own journals: documents for tests.

use super::at;
use crate::documents::{
    AgentJournalRow, AssignedDocument, ErrorRow, SettingRow, StepEventRow, StepJournalRow, TakeoverClaimRow,
    TakeoverDocument, TakeoverDriverRow, TakeoverNodeRow, TakeoverOutcome, TakeoverStepRow,
};

/// A setting that is still to be put back, and one that was.
pub(crate) fn settings() -> Vec<SettingRow> {
    let row = |setting: &str, original, open| SettingRow {
        setting: setting.to_owned(),
        original,
        wanted: 3600,
        open,
        command: format!("rladmin tune cluster {setting} {original}"),
    };
    vec![row("slave_ha_grace_period", 600, true), row("parallel_shards_upgrade", 0, false)]
}

/// Two nodes held by a lost coordinator, with an install at work on one; the third does not answer.
pub(crate) fn takeover() -> TakeoverDocument {
    let claim = TakeoverClaimRow {
        run: "orders-0".to_owned(),
        cluster: "orders".to_owned(),
        holder: "bob@ops2 (process 41)".to_owned(),
        epoch: 6,
        since: at(-10_800),
    };
    let node = |uid: u32| TakeoverNodeRow {
        agent: format!("10.0.0.{uid}:7443"),
        uid: Some(uid),
        reachable: true,
        claim: Some(claim.clone()),
        highest_epoch: Some(6),
        step: None,
        goes_to: None,
        taken: false,
        error: None,
    };
    let step = TakeoverStepRow {
        id: "orders-0.h0.n2.install.a1".to_owned(),
        kind: "install".to_owned(),
        since: at(-120),
    };
    let error = ErrorRow {
        id: "unreachable".to_owned(),
        message: "agent 10.0.0.3:7443 cannot be reached".to_owned(),
        cause: Some("connection refused".to_owned()),
        remedy: None,
    };
    let obstacle = ErrorRow {
        id: "agent-unreachable".to_owned(),
        message: "the agent at 10.0.0.3:7443 cannot be reached".to_owned(),
        remedy: Some("bring its agent back".to_owned()),
        ..error.clone()
    };
    let lost = TakeoverNodeRow {
        uid: None,
        reachable: false,
        claim: None,
        highest_epoch: None,
        error: Some(error),
        ..node(3)
    };
    TakeoverDocument {
        schema: "ratchet.takeover/1".to_owned(),
        cluster: "orders".to_owned(),
        at: at(0),
        outcome: TakeoverOutcome::Needed,
        reasons: vec!["node:1 (10.0.0.1:7443) is held by bob@ops2 (process 41) for run orders-0".to_owned()],
        obstacles: vec![obstacle],
        driver: Some(TakeoverDriverRow { holder: "root@ops1".to_owned(), epoch: 2, holds_lock: false }),
        run: None,
        epoch: None,
        nodes: vec![node(1), TakeoverNodeRow { step: Some(step), ..node(2) }, lost],
        summary: "orders can be taken over: 2 of 3 nodes become free; nothing was changed".to_owned(),
        next_commands: vec!["ratchet takeover orders".to_owned()],
        exit_code: 3,
    }
}

/// One agent with a whole journal and one that was cut; one that does not answer.
pub(crate) fn journals() -> Vec<AgentJournalRow> {
    let event = |seq, text: &str| StepEventRow { seq, at: at(60), text: text.to_owned() };
    let step = |kind: &str, cut_bytes, ended| StepJournalRow {
        step: format!("orders-1.h0.n2.{kind}.a1"),
        kind: kind.to_owned(),
        accepted_at: at(60),
        ended,
        cut_bytes,
        events: vec![event(1, &format!("{kind} begun")), event(2, "| a line of output")],
    };
    let error = ErrorRow {
        id: "unreachable".to_owned(),
        message: "agent 10.0.0.3:7443 cannot be reached".to_owned(),
        cause: Some("connection refused".to_owned()),
        remedy: None,
    };
    let row = |node: u32, steps, error| AgentJournalRow {
        node,
        address: format!("10.0.0.{node}:7443"),
        steps,
        error,
    };
    vec![
        row(1, Some(Vec::new()), None),
        row(2, Some(vec![step("fetch", None, true), step("install", Some(17), false)]), None),
        row(3, None, Some(error)),
    ]
}

/// A stray agent that was put in a cluster.
pub(crate) fn assigned() -> AssignedDocument {
    AssignedDocument {
        schema: "ratchet.assigned/1".to_owned(),
        agent: "stray".to_owned(),
        cluster: Some("carts".to_owned()),
        was: None,
        changed: true,
        connected: true,
        summary: "agent stray belongs to carts from now on".to_owned(),
    }
}
