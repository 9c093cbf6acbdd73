//! Documents for tests.

mod archive;
mod fleet;
mod held;
mod rollout;

use jiff::Timestamp;
use proto::NodeUid;

pub(crate) use archive::{exported, pruned};
pub(crate) use fleet::{fleet_halt, inventory, leader};
pub(crate) use held::{assigned, journals, settings, takeover};
pub(crate) use rollout::{rollout, rollout_check, rollout_news, rollouts};

use crate::checks::{Finding, Verdict};
use crate::documents::{
    AskedRow, CheckDocument, ClusterRow, ErrorRow, EventDocument, ExpectedRow, HaltRow, HopRow, NodeRow,
    NodeState, PackageRow, PlanDocument, PlanOutcome, RunDocument, RunNodeRow, RunRow, RunState,
    RunsDocument, StatusDocument, StepRow, WhyDocument,
};
use crate::plan::Plan;

/// Seconds after 2026-11-22T02:00:00Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_312_800 + seconds).unwrap()
}

pub(crate) fn event(seq: u64, node: Option<u32>, text: &str) -> EventDocument {
    EventDocument {
        schema: "ratchet.event/1".to_owned(),
        seq,
        at: at(180 + i64::try_from(seq).unwrap()),
        epoch: 1,
        kind: "step_started".to_owned(),
        node,
        text: text.to_owned(),
    }
}

/// In the middle of the second turn of the first of two hops.
pub(crate) fn run() -> RunDocument {
    RunDocument {
        schema: "ratchet.run/1".to_owned(),
        id: "orders-1".to_owned(),
        cluster: "orders".to_owned(),
        target: "7.4.6-22".to_owned(),
        prepare_only: false,
        state: RunState::Running,
        doing: "installing 7.2.4-92 on node 2".to_owned(),
        created_at: at(0),
        updated_at: at(110),
        asked: vec![asked(0, "alice@ops1", "alice@ops1 asked to upgrade orders to 7.4.6-22"), paused()],
        plan_digest: "cd".repeat(32),
        driver: "root@ops1".to_owned(),
        epoch: 1,
        hops: vec![hop("6.2.18-65", "7.2.4-92"), hop("7.2.4-92", "7.4.6-22")],
        nodes: vec![first_node(), second_node(), node(3, NodeState::Waiting)],
        halt: None,
        retries: Vec::new(),
        not_admitted: None,
        foreign_changes: Vec::new(),
        accepted: Vec::new(),
        settings: Vec::new(),
        next_commands: Vec::new(),
        advice: Vec::new(),
        events: None,
        agents: None,
        exit_code: 5,
    }
}

fn asked(seconds: i64, by: &str, text: &str) -> AskedRow {
    AskedRow { at: at(seconds), by: by.to_owned(), text: text.to_owned() }
}

fn paused() -> AskedRow {
    asked(90, "bob@ops1", "bob@ops1 asked for a pause")
}

pub(crate) fn halted() -> RunDocument {
    let error = ErrorRow {
        id: "wrong-version".to_owned(),
        message: "node 2 came back at 6.2.18-65".to_owned(),
        cause: Some("install.sh aborted and returned 0".to_owned()),
        remedy: Some("read its log, then retry".to_owned()),
    };
    let halt = HaltRow {
        at: at(100),
        node: Some(2),
        step: Some("confirm".to_owned()),
        error,
        evidence: vec!["ERROR: port 53 is in use".to_owned()],
    };
    let failed = RunNodeRow { step: None, state: NodeState::Failed, ..second_node() };
    RunDocument {
        state: RunState::Halted,
        doing: "waiting for an operator".to_owned(),
        nodes: vec![first_node(), failed, node(3, NodeState::Waiting)],
        halt: Some(halt),
        next_commands: vec!["ratchet retry orders-1".to_owned(), "ratchet abort orders-1".to_owned()],
        exit_code: 4,
        ..run()
    }
}

pub(crate) fn done() -> RunDocument {
    let nodes = (1..=3).map(finished_node).collect();
    RunDocument {
        state: RunState::Done,
        doing: "all nodes are at 7.4.6-22".to_owned(),
        hops: run().hops.into_iter().map(|hop| HopRow { done: true, ..hop }).collect(),
        nodes,
        advice: vec!["refresh an open Cluster Manager UI".to_owned(), "rladmin upgrade db db:1".to_owned()],
        exit_code: 0,
        ..run()
    }
}

fn hop(from: &str, to: &str) -> HopRow {
    HopRow { from: from.to_owned(), to: to.to_owned(), source: "upgrade-paths".to_owned(), done: false }
}

fn node(uid: u32, state: NodeState) -> RunNodeRow {
    RunNodeRow {
        uid,
        agent: format!("10.0.0.{uid}:7443"),
        hostname: format!("rs{uid}"),
        state,
        version: "6.2.18-65".to_owned(),
        role: "replica".to_owned(),
        step: None,
        installs: 0,
        turn_started_at: None,
        turn_ended_at: None,
        witnesses: Vec::new(),
        warnings: Vec::new(),
        authenticity: Vec::new(),
    }
}

fn first_node() -> RunNodeRow {
    RunNodeRow {
        version: "7.2.4-92".to_owned(),
        role: "master".to_owned(),
        installs: 1,
        turn_started_at: Some(at(10)),
        turn_ended_at: Some(at(80)),
        witnesses: vec![1, 3],
        ..node(1, NodeState::Done)
    }
}

fn finished_node(uid: u32) -> RunNodeRow {
    let role = if uid == 1 { "master" } else { "replica" };
    let (version, role) = ("7.4.6-22".to_owned(), role.to_owned());
    RunNodeRow { uid, version, role, installs: 2, hostname: format!("rs{uid}"), ..first_node() }
}

fn second_node() -> RunNodeRow {
    let step = StepRow {
        id: "orders-1.h0.n2.install.a1".to_owned(),
        kind: "install".to_owned(),
        since: at(90),
        doing: "running install.sh".to_owned(),
        done: 50_000_000,
        total: Some(200_000_000),
        rate: Some(5_000_000),
    };
    RunNodeRow {
        installs: 1,
        step: Some(step),
        turn_started_at: Some(at(85)),
        warnings: vec!["THP is on".to_owned()],
        authenticity: Vec::new(),
        ..node(2, NodeState::Installing)
    }
}

pub(crate) fn runs() -> RunsDocument {
    let run = RunRow {
        id: "orders-1".to_owned(),
        cluster: "orders".to_owned(),
        target: "7.4.6-22".to_owned(),
        state: RunState::Halted,
        doing: "waiting for an operator".to_owned(),
        nodes_done: 1,
        nodes: 3,
        created_at: at(0),
        updated_at: at(110),
    };
    RunsDocument { schema: "ratchet.runs/1".to_owned(), fleet_halt: None, runs: vec![run] }
}

pub(crate) fn why() -> WhyDocument {
    WhyDocument {
        schema: "ratchet.why/1".to_owned(),
        subject: "orders".to_owned(),
        run: Some("orders-1".to_owned()),
        verdict: "halted".to_owned(),
        waits_for: "somebody to look at node 2".to_owned(),
        since: Some(at(0)),
        until: Some(at(600)),
        who: "an operator".to_owned(),
        commands: vec!["ratchet retry orders-1".to_owned()],
        settings: Vec::new(),
        foreign_changes: Vec::new(),
        fleet_halt: None,
        explained: None,
    }
}

pub(crate) fn package() -> PackageRow {
    PackageRow {
        sha256: "ab".repeat(32),
        version: "7.4.6-22".to_owned(),
        os: "jammy".to_owned(),
        arch: "amd64".to_owned(),
        size: Some(300_000_000),
        sources: vec!["https://mirror.internal/redislabs-7.4.6-22-jammy-amd64.tar".to_owned()],
        origin: "catalogue".to_owned(),
        vendor_checksum: "matches the vendor's release notes".to_owned(),
        owner_catalogue: "in catalogue 7, which expires at 2026-12-31T00:00:00Z".to_owned(),
        added_at: None,
        added_by: None,
    }
}

pub(crate) fn status() -> StatusDocument {
    let node = |uid: u32, role: &str| NodeRow {
        agent: format!("10.0.0.{uid}:7443"),
        reachable: true,
        trouble: None,
        uid: Some(uid),
        role: Some(role.to_owned()),
        address: Some(format!("10.0.0.{uid}")),
        hostname: Some(format!("rs{uid}")),
        version: Some("7.2.4-92".to_owned()),
        status: Some("OK".to_owned()),
        claim: None,
        packages: if uid == 1 { vec!["7.4.6-22".to_owned()] } else { Vec::new() },
        step: None,
        agent_version: Some("0.1.0".to_owned()),
    };
    let unseen =
        NodeRow { reachable: false, trouble: Some("connection refused".to_owned()), ..node(3, "replica") };
    let unseen = NodeRow {
        uid: None,
        role: None,
        address: None,
        hostname: None,
        version: None,
        status: None,
        ..unseen
    };
    let cluster = ClusterRow {
        name: "orders".to_owned(),
        healthy: false,
        version: Some("7.2.4-92".to_owned()),
        master: Some(1),
        problems: vec!["node:2 status is DOWN".to_owned()],
        nodes: vec![
            node(1, "master"),
            NodeRow { status: Some("DOWN".to_owned()), ..node(2, "replica") },
            unseen,
        ],
        run: None,
        remarks: vec!["node 1 runs without systemd".to_owned()],
    };
    StatusDocument {
        schema: "ratchet.status/1".to_owned(),
        at: at(0),
        fleet_halt: None,
        warnings: Vec::new(),
        clusters: vec![cluster],
    }
}

pub(crate) fn check() -> CheckDocument {
    let finding = |check: &str, verdict, node, saw: &str, why: &str, remedy: Option<&str>| Finding {
        check: check.to_owned(),
        verdict,
        node,
        agent: None,
        saw: saw.to_owned(),
        why: why.to_owned(),
        remedy: remedy.map(ToOwned::to_owned),
        source: "the vendor's guide".to_owned(),
        promise: None,
        accepted: None,
    };
    let findings = vec![
        finding("quorum", Verdict::Pass, None, "two of three stay up", "", None),
        finding("replication", Verdict::Warn, None, "db:2 has no replica", "it is down during turns", None),
        finding(
            "disk",
            Verdict::CannotTell,
            Some(NodeUid(2)),
            "df failed",
            "room is needed",
            Some("see `df /var`"),
        ),
        finding(
            "health",
            Verdict::Block,
            Some(NodeUid(3)),
            "redis:4 is DOWN",
            "",
            Some("rladmin status shards"),
        ),
    ];
    CheckDocument {
        schema: "ratchet.check/1".to_owned(),
        cluster: "orders".to_owned(),
        at: at(0),
        target: Some("7.4.6-22".to_owned()),
        passed: false,
        findings,
    }
}

/// One hop, two turns; built from JSON, as saved plans are.
pub(crate) fn plan() -> Plan {
    let sha256 = "ab".repeat(32);
    let node = |uid: u32, role: &str| {
        serde_json::json!({
            "uid": uid, "agent": format!("10.0.0.{uid}:7443"), "address": format!("10.0.0.{uid}"),
            "hostname": format!("rs{uid}"), "installed": "7.2.4-92", "role": role, "os": "jammy", "arch": "amd64",
            "install_args": ["-y"],
        })
    };
    let turn = |uid: u32, role: &str| serde_json::json!({"node": uid, "from": "7.2.4-92", "package": sha256, "role": role});
    let package = package();
    let value = serde_json::json!({
        "schema": "ratchet.plan/1", "cluster": "orders", "made_at": at(0), "target": "7.4.6-22",
        "table_digest": sha256, "nodes": [node(1, "replica"), node(2, "master"), node(3, "replica")],
        "hops": [{
            "from": "7.2.4-92", "to": "7.4.6-22", "source": "upgrade-paths", "status": "current",
            "turns": [turn(2, "master"), turn(1, "replica")], "already_there": [3],
        }],
        "packages": [{
            "sha256": sha256, "version": "7.4.6-22", "os": "jammy", "arch": "amd64", "size": package.size,
            "sources": package.sources,
        }],
        "findings": check().findings.into_iter().filter(|finding| !finding.verdict.blocks()).collect::<Vec<_>>(),
        "notes": ["refresh an open Cluster Manager UI"],
    });
    serde_json::from_value(value).unwrap()
}

pub(crate) fn plan_answer() -> PlanDocument {
    PlanDocument {
        schema: "ratchet.plan-answer/1".to_owned(),
        cluster: "orders".to_owned(),
        outcome: PlanOutcome::Ready,
        plan: Some(plan()),
        digest: Some("cd".repeat(32)),
        findings: check().findings,
        summary: "2 turns in 1 hop".to_owned(),
        expected: Some(ExpectedRow {
            turn_seconds: 312,
            longest_turn_seconds: 500,
            all_seconds: 624,
            measured: 9,
            of_this_cluster: true,
        }),
    }
}
