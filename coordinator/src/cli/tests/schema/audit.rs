//! Runs for an archive, and what a proof of them is told as.

use super::shape_of;
use crate::cli::render::sample;
use crate::cli::tests::stage::Stage;
use crate::documents::{
    AgreementRow, Document, HeadRow, MisfitRow, VerificationDocument, VerificationOutcome,
};

#[tokio::test]
async fn verification() {
    let agent = |agrees| AgreementRow { node: 1, address: String::new(), agrees, detail: String::new() };
    let document = VerificationDocument {
        schema: VerificationDocument::SCHEMA.to_owned(),
        subject: "orders-1".to_owned(),
        outcome: VerificationOutcome::Broken,
        events: 4,
        unchained: 1,
        head: Some(HeadRow { seq: 4, digest: "ab".repeat(32) }),
        misfit: Some(MisfitRow { seq: 5, why: String::new() }),
        leads_through: Some(false),
        remarks: vec![String::new()],
        agents: Some(vec![agent(Some(true)), agent(None)]),
        summary: String::new(),
        exit_code: 4,
    };
    let stage = Stage::new();
    stage.fake.answers("report", &document);
    insta::assert_snapshot!(shape_of(&stage, "report orders-1 --verify").await, @r"
    .agents: list
    .agents[].address: text
    .agents[].agrees: flag
    .agents[].agrees: null
    .agents[].detail: text
    .agents[].node: number
    .events: number
    .exit_code: number
    .head.digest: text
    .head.seq: number
    .leads_through: flag
    .misfit.seq: number
    .misfit.why: text
    .outcome: text
    .remarks: list
    .remarks[]: text
    .schema: text
    .subject: text
    .summary: text
    .unchained: number
    ");
}

#[tokio::test]
async fn export_and_prune() {
    let stage = Stage::new();
    stage.fake.answers("export_run", &sample::exported());
    let shape = shape_of(&stage, "export orders-1").await;
    let own: Vec<&str> = shape.lines().filter(|line| !line.starts_with(".plan.")).collect();
    insta::assert_snapshot!(own.join("\n"), @r"
    .cluster: text
    .made_at: text
    .plan_digest: text
    .records: list
    .records[].at: text
    .records[].body: text
    .records[].chain: text
    .records[].epoch: number
    .records[].event.claimed.node: number
    .records[].format: number
    .records[].seq: number
    .run: text
    .schema: text
    .state: text
    .target: text
    ");
    let stage = Stage::new();
    stage.fake.answers("prune_runs", &sample::pruned(false));
    insta::assert_snapshot!(shape_of(&stage, "prune --older-than 90d").await, @r"
    .before: text
    .kept: list
    .kept[].run: text
    .kept[].why: text
    .next_commands: list
    .next_commands[]: text
    .removed: flag
    .runs: list
    .runs[].cluster: text
    .runs[].ended_at: text
    .runs[].run: text
    .runs[].state: text
    .schema: text
    .summary: text
    ");
}
