//! `export` and `prune`.

use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::ExportDocument;

#[tokio::test]
async fn an_export_is_the_document_whoever_asks() {
    for line in ["export orders-1", "export orders-1 -o json"] {
        let stage = Stage::new();
        stage.fake.answers("export_run", &sample::exported());
        assert_eq!(stage.run(line).await, Exit::Done);
        let document: ExportDocument = serde_json::from_str(&stage.stdout()).unwrap();
        assert_eq!(document.records, sample::exported().records);
        assert_eq!(stage.fake.asked(), [r#"export_run ExportRunRequest { run: "orders-1" }"#]);
    }
}

/// What is in a file already may be the only copy of something.
#[tokio::test]
async fn an_export_never_writes_over_a_file() {
    let stage = Stage::new();
    stage.fake.answers("export_run", &sample::exported());
    let file = stage.path("orders-1.json");
    assert_eq!(stage.run(&format!("export orders-1 --to {file}")).await, Exit::Done);
    assert!(
        stage.stdout().contains("1 events is in") && stage.stdout().contains(&file),
        "{}",
        stage.stdout()
    );
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<ExportDocument>(&written).unwrap().run, "orders-1");
    let again = Stage::new();
    again.fake.answers("export_run", &sample::exported());
    assert_eq!(again.run(&format!("export orders-1 --to {file}")).await, Exit::Usage);
    assert_eq!(again.stdout(), "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
}

#[tokio::test]
async fn prune_removes_nothing_without_yes() {
    for (line, consent) in [("", "consent: false"), (" --yes", "consent: true")] {
        let stage = Stage::new();
        stage.fake.answers("prune_runs", &sample::pruned(!line.is_empty()));
        assert_eq!(stage.run(&format!("prune --older-than 90d{line}")).await, Exit::Done);
        assert!(stage.fake.asked()[0].contains(consent), "{:?}", stage.fake.asked());
        let out = stage.stdout();
        assert!(out.contains("orders-1") && out.contains("kept: billing-1: it belongs to june"), "{out}");
        assert_eq!(out.contains("--yes"), line.is_empty(), "{out}");
        assert_eq!(out.contains("ratchet export orders-1"), line.is_empty(), "{out}");
    }
}
