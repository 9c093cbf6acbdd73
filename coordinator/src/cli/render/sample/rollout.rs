//! Documents of rollouts for tests.

use super::at;
use crate::documents::{
    CheckedClusterRow, CheckedWaveRow, Document, ErrorRow, OpeningRow, PartnersRow, RolloutCheckDocument,
    RolloutClusterRow, RolloutClusterState, RolloutDocument, RolloutEventRow, RolloutFindingRow,
    RolloutHaltRow, RolloutRow, RolloutState, RolloutWatchDocument, RolloutsDocument, WaveRow, WaveState,
    WindowRow,
};

fn brief(state: RolloutState, exit_code: u8) -> RolloutRow {
    RolloutRow {
        name: "q4-7-22".to_owned(),
        target: "7.22.0-95".to_owned(),
        state,
        waits_for: "the failure of orders-eu goes over the budget of wave `prod`".to_owned(),
        until: Some(at(7_200)),
        who: "an operator: see to orders-eu, then go on".to_owned(),
        commands: vec![
            "ratchet rollout retry q4-7-22".to_owned(),
            "ratchet rollout abort q4-7-22".to_owned(),
        ],
        since: at(0),
        wave: Some("prod".to_owned()),
        total: 3,
        in_flight: 1,
        upgraded: 1,
        failed: 1,
        updated_at: at(60),
        exit_code,
    }
}

fn window() -> WindowRow {
    WindowRow {
        zone: Some("Europe/Berlin".to_owned()),
        open: true,
        closes_at: Some(at(7_200)),
        opens_at: None,
    }
}

fn wave(name: &str, state: WaveState, clusters: usize) -> WaveRow {
    WaveRow {
        name: name.to_owned(),
        state,
        clusters,
        settled: 1,
        failed: usize::from(clusters > 1),
        at_once: clusters,
        failure_budget: 0,
        soak_seconds: 1_800,
        soaks_until: (state == WaveState::Soaking).then(|| at(1_800)),
        approval: clusters > 1,
        approved: true,
    }
}

fn cluster(name: &str, wave: &str, state: RolloutClusterState, run_state: &str) -> RolloutClusterRow {
    let failed = state == RolloutClusterState::Failed;
    RolloutClusterRow {
        name: name.to_owned(),
        wave: wave.to_owned(),
        state,
        run: Some(format!("{name}-20261122-020000-beef")),
        run_state: Some(run_state.to_owned()),
        error: failed.then(|| ErrorRow {
            id: "no-room".to_owned(),
            message: "there is no room".to_owned(),
            cause: Some("/var has 12.0 MB".to_owned()),
            remedy: Some("make room".to_owned()),
        }),
    }
}

/// Halted in its second wave.
pub(crate) fn rollout(state: RolloutState, exit_code: u8) -> RolloutDocument {
    RolloutDocument {
        schema: RolloutDocument::SCHEMA.to_owned(),
        brief: brief(state, exit_code),
        at_once: 5,
        failure_budget: 2,
        on_failure: "finish-turn".to_owned(),
        halt: Some(RolloutHaltRow {
            kind: "budget-spent".to_owned(),
            why: "the failure of orders-eu goes over the budget of wave `prod`".to_owned(),
            cluster: Some("orders-eu".to_owned()),
        }),
        window: window(),
        waves: vec![wave("canary", WaveState::Done, 1), wave("prod", WaveState::Active, 2)],
        clusters: vec![
            cluster("orders-test", "canary", RolloutClusterState::Upgraded, "done"),
            cluster("orders-eu", "prod", RolloutClusterState::Failed, "halted"),
            cluster("orders-us", "prod", RolloutClusterState::InFlight, "paused"),
        ],
    }
}

pub(crate) fn rollouts() -> RolloutsDocument {
    let rollouts = vec![brief(RolloutState::Halted, 4)];
    RolloutsDocument { schema: RolloutsDocument::SCHEMA.to_owned(), rollouts }
}

/// What is told when it gets into this state.
pub(crate) fn rollout_news(seq: u64, state: RolloutState, exit_code: u8) -> RolloutWatchDocument {
    let event = RolloutEventRow {
        seq,
        at: at(60),
        epoch: 1,
        kind: "settled".to_owned(),
        cluster: Some("orders-eu".to_owned()),
        run: None,
        text: "orders-eu failed: there is no room".to_owned(),
    };
    RolloutWatchDocument {
        schema: RolloutWatchDocument::SCHEMA.to_owned(),
        events: vec![event],
        rollout: brief(state, exit_code),
    }
}

pub(crate) fn rollout_check() -> RolloutCheckDocument {
    let cluster = |name: &str, begins: i64| CheckedClusterRow {
        name: name.to_owned(),
        turns: 3,
        turn_seconds: 2_700,
        measured: "the file's estimate".to_owned(),
        begins: Some(at(begins)),
        ends: Some(at(begins + 8_100)),
    };
    let wave = |name: &str, clusters| CheckedWaveRow {
        name: name.to_owned(),
        approval: name == "prod",
        soak_seconds: 1_800,
        clusters,
    };
    RolloutCheckDocument {
        schema: RolloutCheckDocument::SCHEMA.to_owned(),
        name: "q4-7-22".to_owned(),
        target: "7.22.0-95".to_owned(),
        at: at(0),
        exists: false,
        window: window(),
        openings: vec![OpeningRow { from: at(0), until: at(7_200) }],
        waves: vec![
            wave("canary", vec![cluster("orders-test", 0)]),
            wave("prod", vec![cluster("orders-eu", 86_400), cluster("orders-us", 172_800)]),
        ],
        ends: Some(at(180_900)),
        partners: vec![PartnersRow { one: "orders-eu".to_owned(), other: "orders-us".to_owned() }],
        unclear: vec!["orders-test".to_owned()],
        unselected: vec!["billing".to_owned()],
        findings: vec![RolloutFindingRow {
            id: "no-package".to_owned(),
            cluster: None,
            saw: "there is no package of 7.22.0-95 in the catalogue".to_owned(),
            remedy: "ratchet package add FILE_OR_URL".to_owned(),
        }],
    }
}
