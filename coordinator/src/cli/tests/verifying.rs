//! `report --verify`: of a file, nobody is asked.

use serde_json::Value;

use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::{Document, ExportDocument, ExportedEvent, VerificationDocument};
use crate::run::{Deadlines, Event, Request};
use crate::store::chain::Owner;
use crate::store::{StoredEvent, format};
use proto::{Epoch, RunId};

/// A run of four events, as `ratchet export` writes it.
fn export() -> Value {
    let run: RunId = "orders-1".parse().unwrap();
    let plan = sample::plan_answer().plan.unwrap();
    let (digest, cluster, target) =
        (plan.digest().unwrap().to_string(), plan.cluster.to_string(), plan.target.to_string());
    let by = "spiffe://prod/operator/alice".to_owned();
    let created = Event::Created {
        plan: Box::new(plan.clone()),
        prepare_only: false,
        deadlines: Deadlines::default(),
        by: by.clone(),
    };
    let driving = Event::Driving { holder: "root@ops1".to_owned() };
    let events = [created, driving, Event::Requested { request: Request::Pause, by }, Event::Paused];
    let stored = events.iter().zip(1..).map(|(event, seq)| StoredEvent {
        seq,
        epoch: Epoch(1),
        at: "2026-06-01T12:00:00Z".to_owned(),
        kind: None,
        format: format::FORMAT,
        body: serde_json::to_string(event).unwrap(),
        chain: String::new(),
    });
    let records = Owner::run(&run).linked(stored.collect()).into_iter().map(|stored| {
        let StoredEvent { seq, epoch, at, format, body, chain, .. } = stored;
        let event = serde_json::from_str(&body).unwrap();
        ExportedEvent { seq, epoch: epoch.0, at, format, event, body, chain }
    });
    let records = records.collect();
    let document =
        ExportDocument { cluster, target, plan, plan_digest: digest, records, ..sample::exported() };
    serde_json::to_value(document).unwrap()
}

/// What comes of verifying a file with this in it.
async fn verify(text: &str, more: &str) -> (Exit, String) {
    let stage = Stage::new();
    let file = stage.path("export.json");
    std::fs::write(&file, text).unwrap();
    let exit = stage.run(&format!("report --verify --file {file} -o json {more}")).await;
    assert_eq!(stage.fake.asked(), [""; 0], "nobody is asked");
    (exit, stage.stdout())
}

async fn misfit(spoil: impl FnOnce(&mut Value)) -> Option<u64> {
    let mut export = export();
    spoil(&mut export);
    let (exit, out) = verify(&export.to_string(), "").await;
    let document: VerificationDocument = serde_json::from_str(&out).unwrap();
    assert_eq!(exit == Exit::Done, document.misfit.is_none(), "{out}");
    assert!(exit == Exit::Done || exit == Exit::Failed, "{out}");
    document.misfit.map(|misfit| misfit.seq)
}

fn text_of<'v>(export: &'v mut Value, record: usize, member: &str) -> &'v mut Value {
    &mut export["records"][record][member]
}

#[tokio::test]
async fn a_file_that_was_left_alone_is_whole_without_anybody() {
    assert_eq!(misfit(|_| ()).await, None);
    let stage = Stage::new();
    let file = stage.path("export.json");
    std::fs::write(&file, export().to_string()).unwrap();
    assert_eq!(stage.run_bare(&format!("report --verify --file {file}")).await, Exit::Done);
    assert!(
        stage.stdout().contains("all 4 events of orders-1 are what was written; head: event 4, "),
        "{}",
        stage.stdout()
    );
}

#[tokio::test]
async fn whatever_is_changed_in_a_file_is_named_by_its_event() {
    for at in 0..4 {
        let seq = Some(at as u64 + 1);
        assert_eq!(misfit(|file| *text_of(file, at, "at") = "2026-06-01T12:00:01Z".into()).await, seq);
        assert_eq!(misfit(|file| *text_of(file, at, "epoch") = 2.into()).await, seq);
        assert_eq!(misfit(|file| *text_of(file, at, "format") = 2.into()).await, seq);
        assert_eq!(misfit(|file| *text_of(file, at, "event") = "paused!".into()).await, seq);
        assert_eq!(misfit(|file| *text_of(file, at, "chain") = "ab".repeat(32).into()).await, seq);
        let body = |file: &mut Value| {
            let text = text_of(file, at, "body");
            *text = format!("{} ", text.as_str().unwrap()).into();
        };
        assert_eq!(misfit(body).await, seq);
        if at < 3 {
            let gone = |file: &mut Value| drop(file["records"].as_array_mut().unwrap().remove(at));
            assert_eq!(misfit(gone).await, seq);
        }
    }
    for (member, value) in [
        ("plan_digest", "ab".repeat(32)),
        ("cluster", "billing".to_owned()),
        ("target", "7.8.2-34".to_owned()),
    ] {
        assert_eq!(misfit(|file| file[member] = value.into()).await, Some(1), "{member}");
    }
    assert_eq!(misfit(|file| file["plan"]["notes"] = serde_json::json!(["another"])).await, Some(1));
    assert_eq!(misfit(|file| file["run"] = "orders-2".into()).await, Some(1), "it is of another run");
}

#[tokio::test]
async fn what_was_cut_off_at_the_end_shows_only_with_the_head() {
    let whole = export();
    let head = whole["records"][3]["chain"].as_str().unwrap().to_owned();
    let mut cut = whole.clone();
    cut["records"].as_array_mut().unwrap().pop();
    assert_eq!(verify(&cut.to_string(), "").await.0, Exit::Done);
    assert_eq!(verify(&cut.to_string(), &format!("--head {head}")).await.0, Exit::Failed);
    assert_eq!(verify(&whole.to_string(), &format!("--head {head}")).await.0, Exit::Done);
}

#[tokio::test]
async fn a_file_of_an_earlier_version_proves_nothing_and_says_so() {
    let mut old = export();
    for record in old["records"].as_array_mut().unwrap() {
        record.as_object_mut().unwrap().retain(|name, _| name != "body" && name != "chain");
    }
    let (exit, out) = verify(&old.to_string(), "").await;
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("events 1–4 were written before journals were chained: nothing proves"), "{out}");
}

#[tokio::test]
async fn what_is_no_export_is_wrong_usage() {
    let whole = export().to_string();
    let other = whole.replace("ratchet.export/1", "ratchet.export/9");
    for text in ["", "{}", &whole[..whole.len() / 2], &other, "[1]"] {
        assert_eq!(verify(text, "").await.0, Exit::Usage, "{text:.40}");
    }
    let stage = Stage::new();
    assert_eq!(stage.run("report --verify --file /nowhere/export.json").await, Exit::Usage);
}

#[tokio::test]
async fn over_a_coordinator_its_word_is_the_exit() {
    let run: RunId = "orders-1".parse().unwrap();
    let document = VerificationDocument::of_run(&run, &[]);
    let stage = Stage::new();
    stage.fake.answers("report", &document);
    assert_eq!(
        stage.run(&format!("report orders-1 --verify --head {}", "ab".repeat(32))).await,
        Exit::Failed
    );
    assert!(
        stage.stdout().contains("does not fit together at event 1: it is not there"),
        "{}",
        stage.stdout()
    );
    let asked = stage.fake.asked().remove(0);
    assert!(asked.contains("verify: true, head: Some(\"abab"), "{asked}");
    assert_eq!(VerificationDocument::SCHEMA, "ratchet.verification/1");
}
