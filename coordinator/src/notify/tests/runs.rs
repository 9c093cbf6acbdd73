//! News of runs.

use jiff::Timestamp;
use proto::{ClusterName, Epoch, Failure, NodeUid, RunId, StepKind};

use crate::fingerprint::Change;
use crate::notify::{Kind, Notice, news_of_fleet, news_of_run};
use crate::plan::Plan;
use crate::run::{Deadlines, Event, Halt, Record, Request, RunEnd};

fn id() -> RunId {
    "r1".parse().unwrap()
}

fn at(seconds: u64) -> Timestamp {
    format!("2026-06-01T12:00:{seconds:02}Z").parse().unwrap()
}

fn plan() -> Plan {
    let sha256 = "ab".repeat(32);
    let value = serde_json::json!({
        "schema": "ratchet.plan/1", "cluster": "orders", "made_at": at(0), "target": "7.8.2-34",
        "table_digest": sha256,
        "nodes": [{
            "uid": 1, "agent": "n1:1", "address": "192.0.2.1", "hostname": "rs1", "installed": "7.4.2-54",
            "role": "master", "os": "jammy", "arch": "amd64", "install_args": ["-y"],
        }],
        "hops": [{
            "from": "7.4.2-54", "to": "7.8.2-34", "source": "the table", "status": "current",
            "turns": [{"node": 1, "from": "7.4.2-54", "package": sha256, "role": "master"}],
            "already_there": [],
        }],
        "packages": [], "findings": [], "notes": [],
    });
    serde_json::from_value(value).unwrap()
}

/// A run with its only node claimed, after these events: the first of them has number 4.
fn records(events: Vec<Event>) -> Vec<Record> {
    let deadlines = Deadlines::default();
    let created =
        Event::Created { plan: Box::new(plan()), prepare_only: false, deadlines, by: "alice".to_owned() };
    let driving = Event::Driving { holder: "alice@ops1".to_owned() };
    let claimed = Event::Claimed { node: NodeUid(1), memory: None };
    let all = [created, driving, claimed].into_iter().chain(events);
    all.zip(1..).map(|(event, seq)| Record { seq, epoch: Epoch(1), at: at(seq), event }).collect()
}

fn halted() -> Event {
    let failure =
        Failure::operator("gate-shut", "the gate stayed shut", "rladmin status").because("node:2 is down");
    Event::Halted(Box::new(Halt { node: Some(NodeUid(1)), step: Some(StepKind::Check), failure }))
}

fn news(events: Vec<Event>, above: u64) -> Vec<Notice> {
    news_of_run(&id(), &records(events), above).unwrap()
}

#[test]
fn a_halt_says_where_why_and_what_can_be_done() {
    let all = news(vec![halted()], 0);
    let [halted] = &all[..] else { panic!("{all:?}") };
    insta::assert_snapshot!(serde_json::to_string_pretty(halted).unwrap(), @r#"
    {
      "schema": "ratchet.notice/1",
      "id": "run:r1#4",
      "at": "2026-06-01T12:00:04Z",
      "kind": "halted",
      "subject": {
        "run": "r1",
        "rollout": null
      },
      "cluster": "orders",
      "title": "orders: the upgrade to 7.8.2-34 has halted",
      "text": "Run r1 stands still at the check of node:1: the gate stayed shut: node:2 is down.",
      "commands": [
        "rladmin status",
        "ratchet resume r1",
        "ratchet abort r1",
        "ratchet show r1"
      ],
      "journal": null,
      "exit": 4
    }
    "#);
}

#[test]
fn a_foreign_change_is_told_with_what_changed_and_how_to_acknowledge_it() {
    let change = Change {
        key: "db:3: maxclients".to_owned(),
        before: Some("1".to_owned()),
        after: Some("2".to_owned()),
    };
    let changed = Event::ForeignChange { seen_at: at(4), changes: vec![change.clone()] };
    let all = news(vec![changed, Event::Paused], 0);
    let [told] = &all[..] else { panic!("{all:?}") };
    assert_eq!((told.kind, told.exit), (Kind::ForeignChange, Some(5)));
    assert!(told.text.contains(&change.to_string()), "{told:?}");
    assert!(told.commands.contains(&"ratchet resume r1 --acknowledge".to_owned()), "{told:?}");
}

#[test]
fn each_end_of_a_run_is_news_with_its_exit_and_a_plain_pause_is_none() {
    let pause = || Event::Requested { request: Request::Pause, by: "alice".to_owned() };
    assert_eq!(news(vec![pause(), Event::Paused], 0), []);
    let abort = Event::Requested { request: Request::Abort, by: "alice".to_owned() };
    let released = Event::Released { node: NodeUid(1), trouble: None };
    let ends = news(vec![abort, released, Event::Ended(RunEnd::Aborted)], 0);
    assert_eq!((ends.len(), ends[0].kind, ends[0].exit), (1, Kind::Aborted, Some(4)));
    assert!(ends[0].text.contains("0 of 1 nodes are at 7.8.2-34"), "{ends:?}");
}

#[test]
fn what_was_told_is_not_told_again() {
    let resume = Event::Requested { request: Request::Resume, by: "alice".to_owned() };
    let events = || vec![halted(), resume.clone(), halted()];
    let ids = |above| news(events(), above).into_iter().map(|notice| notice.id).collect::<Vec<_>>();
    assert_eq!(ids(0), ["run:r1#4", "run:r1#6"]);
    assert_eq!(ids(4), ["run:r1#6"]);
    assert_eq!(ids(6), Vec::<String>::new());
}

#[test]
fn the_halt_of_the_fleet_is_told_once_and_so_is_its_end() {
    let halted =
        r#"{"number": 3, "halt": {"by": "alice@ops1", "why": "smoke", "at": "2026-06-01T12:00:00Z"}}"#;
    let halted = serde_json::from_str(halted).unwrap();
    let told = news_of_fleet(&halted, 2, at(9)).unwrap();
    assert_eq!((told.id.as_str(), told.kind, told.at), ("fleet#3", Kind::FleetHalted, at(0)));
    assert!(told.text.contains("alice@ops1") && told.text.contains("smoke"), "{told:?}");
    assert_eq!(news_of_fleet(&halted, 3, at(9)), None);
    let lifted = serde_json::from_str(r#"{"number": 4, "halt": null}"#).unwrap();
    assert_eq!(news_of_fleet(&lifted, 3, at(9)).unwrap().kind, Kind::FleetLifted);
    let cluster: Option<ClusterName> = told.cluster;
    assert_eq!(cluster, None);
}
