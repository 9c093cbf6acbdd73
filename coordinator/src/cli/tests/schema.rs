//! The JSON that programs rely on. A changed snapshot here is a changed contract: fields are only ever added.

mod audit;
mod fleet;

use serde_json::Value;

use super::fake::{Scene, wire};
use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::{RetryRow, WatchDocument};

/// All keys of a document with the kinds of their values, one a line.
fn shape(value: &Value) -> Vec<String> {
    let mut lines = std::collections::BTreeSet::new();
    walk(value, "", &mut lines);
    lines.into_iter().collect()
}

fn walk(value: &Value, path: &str, lines: &mut std::collections::BTreeSet<String>) {
    let kind = match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| walk(value, &format!("{path}.{key}"), lines));
            return;
        }
        Value::Array(values) => {
            values.iter().for_each(|value| walk(value, &format!("{path}[]"), lines));
            "list"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "flag",
        Value::Null => "null",
    };
    lines.insert(format!("{path}: {kind}"));
}

/// The shape of the one document that a command prints.
pub(super) async fn shape_of(stage: &Stage, line: &str) -> String {
    stage.run(&format!("{line} -o json")).await;
    let documents = stage.documents();
    assert_eq!(documents.len(), 1, "{documents:?}");
    shape(&documents[0]).join("\n")
}

#[tokio::test]
async fn status() {
    let stage = Stage::new();
    stage.fake.answers("status", &sample::status());
    insta::assert_snapshot!(shape_of(&stage, "status").await, @r"
        .at: text
        .clusters: list
        .clusters[].healthy: flag
        .clusters[].master: number
        .clusters[].name: text
        .clusters[].nodes: list
        .clusters[].nodes[].address: null
        .clusters[].nodes[].address: text
        .clusters[].nodes[].agent: text
        .clusters[].nodes[].agent_version: text
        .clusters[].nodes[].claim: null
        .clusters[].nodes[].hostname: null
        .clusters[].nodes[].hostname: text
        .clusters[].nodes[].packages: list
        .clusters[].nodes[].packages[]: text
        .clusters[].nodes[].reachable: flag
        .clusters[].nodes[].role: null
        .clusters[].nodes[].role: text
        .clusters[].nodes[].status: null
        .clusters[].nodes[].status: text
        .clusters[].nodes[].step: null
        .clusters[].nodes[].trouble: null
        .clusters[].nodes[].trouble: text
        .clusters[].nodes[].uid: null
        .clusters[].nodes[].uid: number
        .clusters[].nodes[].version: null
        .clusters[].nodes[].version: text
        .clusters[].problems: list
        .clusters[].problems[]: text
        .clusters[].remarks: list
        .clusters[].remarks[]: text
        .clusters[].run: null
        .clusters[].version: text
        .fleet_halt: null
        .schema: text
        .warnings: list
        ");
}

#[tokio::test]
async fn plan() {
    let stage = Stage::new();
    stage.fake.answers("plan", &sample::plan_answer());
    let shape = shape_of(&stage, "plan orders --to 7.4.6-22").await;
    for line in [
        ".schema: text",
        ".cluster: text",
        ".outcome: text",
        ".summary: text",
        ".plan.schema: text",
        ".plan.target: text",
        ".plan.hops[].from: text",
        ".plan.hops[].to: text",
        ".plan.hops[].source: text",
        ".plan.hops[].turns[].node: number",
        ".plan.hops[].turns[].package: text",
        ".plan.packages[].sha256: text",
        ".plan.nodes[].uid: number",
        ".findings: list",
    ] {
        assert!(shape.lines().any(|shown| shown == line), "{line} is missing in\n{shape}");
    }
}

#[tokio::test]
async fn show() {
    let stage = Stage::new();
    let mut document = sample::halted();
    document.events = Some(vec![sample::event(1, Some(2), "installing")]);
    document.nodes[0].step = sample::run().nodes[1].step.clone();
    document.settings = sample::settings();
    document.agents = Some(sample::journals());
    document.retries = vec![RetryRow {
        wait: "reach".to_owned(),
        node: Some(2),
        attempt: 3,
        cause: "connection refused".to_owned(),
        next_try_at: sample::at(1),
        gives_up_at: sample::at(300),
    }];
    stage.fake.answers("show", &document);
    insta::assert_snapshot!(shape_of(&stage, "show orders-1 --events").await, @r"
        .accepted: list
        .advice: list
        .agents: list
        .agents[].address: text
        .agents[].error.cause: text
        .agents[].error.id: text
        .agents[].error.message: text
        .agents[].error.remedy: null
        .agents[].error: null
        .agents[].node: number
        .agents[].steps: list
        .agents[].steps: null
        .agents[].steps[].accepted_at: text
        .agents[].steps[].cut_bytes: null
        .agents[].steps[].cut_bytes: number
        .agents[].steps[].ended: flag
        .agents[].steps[].events: list
        .agents[].steps[].events[].at: text
        .agents[].steps[].events[].seq: number
        .agents[].steps[].events[].text: text
        .agents[].steps[].kind: text
        .agents[].steps[].step: text
        .asked: list
        .asked[].at: text
        .asked[].by: text
        .asked[].text: text
        .cluster: text
        .created_at: text
        .doing: text
        .driver: text
        .epoch: number
        .events: list
        .events[].at: text
        .events[].epoch: number
        .events[].kind: text
        .events[].node: number
        .events[].schema: text
        .events[].seq: number
        .events[].text: text
        .exit_code: number
        .foreign_changes: list
        .halt.at: text
        .halt.error.cause: text
        .halt.error.id: text
        .halt.error.message: text
        .halt.error.remedy: text
        .halt.evidence: list
        .halt.evidence[]: text
        .halt.node: number
        .halt.step: text
        .hops: list
        .hops[].done: flag
        .hops[].from: text
        .hops[].source: text
        .hops[].to: text
        .id: text
        .next_commands: list
        .next_commands[]: text
        .nodes: list
        .nodes[].agent: text
        .nodes[].authenticity: list
        .nodes[].hostname: text
        .nodes[].installs: number
        .nodes[].role: text
        .nodes[].state: text
        .nodes[].step.doing: text
        .nodes[].step.done: number
        .nodes[].step.id: text
        .nodes[].step.kind: text
        .nodes[].step.rate: number
        .nodes[].step.since: text
        .nodes[].step.total: number
        .nodes[].step: null
        .nodes[].turn_ended_at: null
        .nodes[].turn_ended_at: text
        .nodes[].turn_started_at: null
        .nodes[].turn_started_at: text
        .nodes[].uid: number
        .nodes[].version: text
        .nodes[].warnings: list
        .nodes[].warnings[]: text
        .nodes[].witnesses: list
        .nodes[].witnesses[]: number
        .not_admitted: null
        .plan_digest: text
        .prepare_only: flag
        .retries: list
        .retries[].attempt: number
        .retries[].cause: text
        .retries[].gives_up_at: text
        .retries[].next_try_at: text
        .retries[].node: number
        .retries[].wait: text
        .schema: text
        .settings: list
        .settings[].command: text
        .settings[].open: flag
        .settings[].original: number
        .settings[].setting: text
        .settings[].wanted: number
        .state: text
        .target: text
        .updated_at: text
        ");
}

#[tokio::test]
async fn takeover() {
    let stage = Stage::new();
    stage.fake.answers("take_over_cluster", &sample::takeover());
    insta::assert_snapshot!(shape_of(&stage, "takeover orders").await, @r"
    .at: text
    .cluster: text
    .driver.epoch: number
    .driver.holder: text
    .driver.holds_lock: flag
    .epoch: null
    .exit_code: number
    .next_commands: list
    .next_commands[]: text
    .nodes: list
    .nodes[].agent: text
    .nodes[].claim.cluster: text
    .nodes[].claim.epoch: number
    .nodes[].claim.holder: text
    .nodes[].claim.run: text
    .nodes[].claim.since: text
    .nodes[].claim: null
    .nodes[].error.cause: text
    .nodes[].error.id: text
    .nodes[].error.message: text
    .nodes[].error.remedy: null
    .nodes[].error: null
    .nodes[].goes_to: null
    .nodes[].highest_epoch: null
    .nodes[].highest_epoch: number
    .nodes[].reachable: flag
    .nodes[].step.id: text
    .nodes[].step.kind: text
    .nodes[].step.since: text
    .nodes[].step: null
    .nodes[].taken: flag
    .nodes[].uid: null
    .nodes[].uid: number
    .obstacles: list
    .obstacles[].cause: text
    .obstacles[].id: text
    .obstacles[].message: text
    .obstacles[].remedy: text
    .outcome: text
    .reasons: list
    .reasons[]: text
    .run: null
    .schema: text
    .summary: text
    ");
}

#[tokio::test]
async fn upgrade_is_a_watch_a_line_and_the_run_last() {
    let stage = Stage::new();
    stage.fake.answers("plan", &sample::plan_answer());
    stage.fake.answers("start", &sample::run());
    stage.fake.answers("show", &sample::done());
    let news =
        |run, events| Scene::Tell(wire(&WatchDocument { schema: "ratchet.watch/1".to_owned(), events, run }));
    let event = sample::event(1, Some(2), "installing");
    stage.fake.watched(vec![news(sample::run(), vec![event]), news(sample::done(), Vec::new())]);
    assert_eq!(stage.run("upgrade orders --to 7.4.6-22 --yes -o json").await, Exit::Done);
    let schemas: Vec<Value> = stage.documents().iter().map(|document| document["schema"].clone()).collect();
    assert_eq!(schemas, ["ratchet.watch/1", "ratchet.watch/1", "ratchet.run/1"]);
    let documents = stage.documents();
    assert_eq!(documents[0]["events"][0]["seq"], 1);
    assert_eq!(documents[0]["run"]["id"], documents[2]["id"]);
    assert_eq!(documents[2]["exit_code"], 0);
}

#[tokio::test]
async fn runs_and_paths_have_their_fixed_members() {
    let stage = Stage::new();
    stage.fake.answers("runs", &sample::runs());
    stage.run("runs -o json").await;
    let run = &stage.documents()[0]["runs"][0];
    assert_eq!(
        (&run["id"], &run["cluster"], &run["state"]),
        (&"orders-1".into(), &"orders".into(), &"halted".into())
    );

    let stage = Stage::new();
    let table = crate::paths::Table::vendor().unwrap();
    let spec = |text: &str| Some(text.parse().unwrap());
    stage.fake.answers("paths", &crate::paths::explain(&table, spec("7.2.4-92"), spec("7.4.6-22"), &[]));
    stage.run("paths --from 7.2.4-92 --to 7.4.6-22 -o json").await;
    let document = &stage.documents()[0];
    assert_eq!(document["supported"], true);
    let hop = &document["hops"][0];
    assert_eq!((&hop["from"], &hop["to"]), (&"7.2.4-92".into(), &"7.4.6-22".into()));
    assert!(hop["source"].is_string());
}

#[tokio::test]
async fn assign() {
    let stage = Stage::new();
    stage.fake.answers("assign_agent", &sample::assigned());
    insta::assert_snapshot!(shape_of(&stage, "assign stray carts").await, @r"
        .agent: text
        .changed: flag
        .cluster: text
        .connected: flag
        .schema: text
        .summary: text
        .was: null
        ");
    let stage = Stage::new();
    stage.fake.answers("assign_agent", &sample::assigned());
    assert_eq!(stage.run("assign stray --none").await, Exit::Done);
    assert!(stage.fake.asked()[0].contains("cluster: None"), "{:?}", stage.fake.asked());
}

#[tokio::test]
async fn an_error_is_one_document_on_stdout() {
    let stage = Stage::new();
    let failure = proto::Failure::operator("no-such-run", "there is no run x", "ratchet runs");
    stage.fake.refuses("show", &failure);
    assert_eq!(stage.run("show x -o json").await, Exit::Usage);
    let expected = serde_json::json!({"error": {
        "id": "no-such-run", "message": "there is no run x", "cause": null, "remedy": "ratchet runs",
    }});
    assert_eq!(stage.documents(), [expected]);
    assert_eq!(stage.stderr(), "");
}
