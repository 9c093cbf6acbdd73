//! `report --verify`, over a coordinator and of a file.

use proto::{StepHistory, StepKind, pb};

use super::stage::{Stage, append, begun, id, noon, paused};
use crate::documents::{Document, ExportDocument, VerificationDocument, VerificationOutcome};
use crate::run::{Event, Request, RunEnd};
use crate::server::in_process;
use crate::store::{SqliteStore, Store};

/// A run of six events that is over.
async fn over(store: &SqliteStore) {
    let lease = begun(store, "orders", "r1").await;
    paused(store, &lease, "r1").await;
    let abort = Event::Requested { request: Request::Abort, by: "spiffe://prod/operator/bob".to_owned() };
    append(store, &lease, "r1", abort).await;
    append(store, &lease, "r1", Event::Ended(RunEnd::Aborted)).await;
}

#[tokio::test]
async fn a_run_that_was_left_alone_is_whole_and_its_report_names_the_head() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    over(&store).await;
    let core = stage.core().await;
    let document = core.verify("r1", None).await.unwrap();
    assert_eq!(
        (document.outcome, document.exit_code),
        (VerificationOutcome::Whole, 0),
        "{}",
        document.summary
    );
    let head = core.report("r1").await.unwrap().head.unwrap();
    assert_eq!(document.head.as_ref(), Some(&head));
    assert_eq!(head.seq, 6);
    let kept = core.verify("r1", Some(head.digest.parse().unwrap())).await.unwrap();
    assert_eq!((kept.leads_through, kept.exit_code), (Some(true), 0));
    let other = core.verify("r1", Some("ab".repeat(32).parse().unwrap())).await.unwrap();
    assert_eq!((other.leads_through, other.exit_code), (Some(false), 4), "{}", other.summary);
    assert_eq!(core.verify("nope", None).await.unwrap_err().id, "no-such-run");
    let run = core.show("r1", false, false).await.unwrap();
    let asked: Vec<&str> = run.asked.iter().map(|asked| asked.by.as_str()).collect();
    assert_eq!(asked, ["alice", "alice", "spiffe://prod/operator/bob"]);
    assert_eq!(run.plan_digest, core.report("r1").await.unwrap().plan_digest);
}

/// The first event that does not fit is named, also where the journal cannot be read any more.
#[tokio::test]
async fn whatever_was_done_to_a_journal_is_answered_over_the_service() {
    for (change, seq) in [
        ("UPDATE event SET body = replace(body, 'bob', 'eve') WHERE seq = 5", 5),
        ("UPDATE event SET body = '{' WHERE seq = 2", 2),
        ("DELETE FROM event WHERE seq = 1", 1),
        ("UPDATE event SET format = 99 WHERE seq = 4", 4),
        ("UPDATE run SET cluster = 'billing'", 1),
    ] {
        let stage = Stage::new();
        let store = stage.store("ratchet.db").await;
        over(&store).await;
        store.sql(change).await;
        let mut client = proto::transport::coordinator_client(in_process(stage.core().await));
        let request = pb::ReportRequest { run: "r1".to_owned(), verify: true, head: None };
        let answer = client.report(request).await.unwrap().into_inner();
        assert_eq!(answer.schema, VerificationDocument::SCHEMA);
        let document: VerificationDocument = serde_json::from_str(&answer.json).unwrap();
        assert_eq!(document.misfit.as_ref().map(|misfit| misfit.seq), Some(seq), "{change}: {document:?}");
        assert_eq!((document.outcome, document.exit_code), (VerificationOutcome::Broken, 4), "{change}");
    }
}

/// A chain that was made anew over a story that cannot be.
#[tokio::test]
async fn a_story_that_cannot_be_is_no_proof() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "orders", "r1").await;
    append(&store, &lease, "r1", Event::Paused).await;
    let document = VerificationDocument::of_run(&id("r1"), &store.verbatim(&id("r1")).await.unwrap());
    assert_eq!(document.misfit.as_ref().map(|misfit| misfit.seq), Some(3), "{}", document.summary);
    assert!(document.summary.contains("nobody asked for a pause"), "{}", document.summary);
}

#[tokio::test]
async fn an_agent_that_was_ordered_what_the_journal_does_not_have_contradicts_it() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    over(&store).await;
    stage.agents[1].with(|state| {
        let (step, kind) = ("r1.h0.n2.install.a1".parse().unwrap(), StepKind::Install);
        let (ended, cut_bytes, events) = (true, None, Vec::new());
        state.histories = vec![StepHistory { step, kind, accepted_at: noon(), ended, cut_bytes, events }];
    });
    stage.agents[2].with(|state| state.answers = false);
    let document = stage.core().await.verify("r1", None).await.unwrap();
    let agrees: Vec<_> = document.agents.iter().flatten().map(|agent| agent.agrees).collect();
    assert_eq!(agrees, [Some(true), Some(false), None]);
    assert_eq!(document.exit_code, 4);
    let said = "the agent of node 2 contradicts the journal of r1: it was given r1.h0.n2.install.a1";
    assert!(document.summary.starts_with(said), "{}", document.summary);
}

/// What the export of a run proves without any coordinator; the file is verified by the command line.
#[tokio::test]
async fn an_export_has_all_that_a_proof_needs() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    over(&store).await;
    let export: ExportDocument = stage.core().await.export_run("r1").await.unwrap();
    let stored = store.verbatim(&id("r1")).await.unwrap();
    for (record, stored) in export.records.iter().zip(&stored) {
        assert_eq!((&record.body, &record.chain, &record.at), (&stored.body, &stored.chain, &stored.at));
    }
}
