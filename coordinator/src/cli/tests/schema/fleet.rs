//! The documents about the fleet as a whole.

use super::shape_of;
use crate::cli::render::sample;
use crate::cli::tests::stage::Stage;

#[tokio::test]
async fn leader() {
    let stage = Stage::new();
    stage.fake.answers("leader", &sample::leader());
    insta::assert_snapshot!(shape_of(&stage, "leader").await, @r"
    .address: text
    .answered_by: text
    .coordinators: list
    .coordinators[].address: text
    .coordinators[].error.cause: null
    .coordinators[].error.id: text
    .coordinators[].error.message: text
    .coordinators[].error.remedy: null
    .coordinators[].error: null
    .coordinators[].leads: flag
    .coordinators[].leads: null
    .epoch: number
    .holder: text
    .leads: flag
    .schema: text
    .since: text
    ");
}

#[tokio::test]
async fn halt() {
    let stage = Stage::new();
    stage.fake.answers("halt_fleet", &sample::fleet_halt());
    insta::assert_snapshot!(shape_of(&stage, "halt --why moving").await, @r"
    .at: text
    .exit_code: number
    .halt.at: text
    .halt.by: text
    .halt.why: text
    .runs: list
    .runs[].cluster: text
    .runs[].command: null
    .runs[].command: text
    .runs[].run: text
    .runs[].state: text
    .schema: text
    .told: number
    .untold: list
    .untold[].agent: text
    .untold[].cluster: text
    .untold[].error.cause: null
    .untold[].error.id: text
    .untold[].error.message: text
    .untold[].error.remedy: null
    ");
}

#[tokio::test]
async fn inventory() {
    let stage = Stage::new();
    stage.fake.answers("inventory", &sample::inventory());
    insta::assert_snapshot!(shape_of(&stage, "inventory").await, @r"
    .at: text
    .clusters: list
    .clusters[].age_seconds: null
    .clusters[].age_seconds: number
    .clusters[].halted: flag
    .clusters[].healthy: flag
    .clusters[].healthy: null
    .clusters[].master: null
    .clusters[].master: number
    .clusters[].name: text
    .clusters[].nodes: number
    .clusters[].partners: list
    .clusters[].partners[]: text
    .clusters[].problems: list
    .clusters[].problems[]: text
    .clusters[].reachable: number
    .clusters[].run: null
    .clusters[].run: text
    .clusters[].seen_at: null
    .clusters[].seen_at: text
    .clusters[].version: null
    .clusters[].version: text
    .fleet_halt.at: text
    .fleet_halt.by: text
    .fleet_halt.why: text
    .schema: text
    .unassigned: list
    .unassigned[].agent: text
    .unassigned[].connected: flag
    .unassigned[].first_seen: text
    .unassigned[].reason: text
    .unassigned[].version: text
    ");
}
