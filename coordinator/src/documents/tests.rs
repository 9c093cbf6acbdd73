//! What is said about runs.

use jiff::Timestamp;
use proto::{Failure, NodeUid, RunId, Setting, StepId, StepKind, StepOutcome, StepSpec};

use super::*;
use crate::plan::{Plan, PlannedSetting};
use crate::run::{Breach, Deadlines, Event, Halt, Record, Request, Retry, Run, Wait, next, replay};

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
    let plan: Plan = serde_json::from_value(value).unwrap();
    let grace = PlannedSetting { setting: Setting::ReplicaHaGracePeriod, wanted: 3600 };
    Plan { settings: vec![grace], ..plan }
}

/// A run with its only node claimed, after these events.
fn run(events: Vec<Event>) -> Run {
    let plan = Box::new(plan());
    let deadlines = Deadlines::default();
    let created = Event::Created { plan, prepare_only: false, deadlines, by: "alice".to_owned() };
    let driving = Event::Driving { holder: "alice@ops1".to_owned() };
    let claimed = Event::Claimed { node: NodeUid(1), memory: None };
    let all = [created, driving, claimed].into_iter().chain(events);
    let records: Vec<Record> =
        all.zip(1..).map(|(event, seq)| Record { seq, epoch: proto::Epoch(1), at: at(seq), event }).collect();
    replay(&id(), &records).unwrap()
}

fn shown(run: &Run) -> RunDocument {
    RunView { run, progress: &[], driven: true }.document(None)
}

fn said(event: Event) -> String {
    tell::event(&id(), &event)
}

fn recorded(original: u64) -> Event {
    Event::SettingRecorded { setting: Setting::ReplicaHaGracePeriod, original, wanted: 3600 }
}

fn retry(wait: Wait) -> Retry {
    Retry {
        wait,
        node: Some(NodeUid(1)),
        step: None,
        attempt: 3,
        cause: "connection refused".to_owned(),
        next_try_at: at(20),
        gives_up_at: at(50),
    }
}

#[test]
fn a_retry_says_which_attempt_why_when_next_and_until_when() {
    let text = said(Event::Retrying(retry(Wait::Claim)));
    assert_eq!(
        text,
        "attempt 3 at the claim failed: connection refused; next try at 2026-06-01T12:00:20Z, gives up at \
         2026-06-01T12:00:50Z"
    );
    let run = run(vec![Event::Retrying(retry(Wait::Fetch))]);
    let document = shown(&run);
    assert!(document.doing.contains("attempt 3 at the fetch failed"), "{}", document.doing);
    let row = &document.retries[0];
    assert_eq!((row.wait.as_str(), row.node, row.attempt), ("fetch", Some(1), 3));
    assert_eq!((row.next_try_at, row.gives_up_at), (at(20), at(50)));
}

#[test]
fn every_wait_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<&str> = Wait::ALL.into_iter().map(tell::wait_word).collect();
    assert_eq!(words.len(), Wait::ALL.len());
    for wait in Wait::ALL {
        let json = serde_json::to_value(wait).unwrap();
        assert_eq!(json, tell::wait_word(wait), "the same word in journals and documents");
    }
}

#[test]
fn a_breach_says_who_saw_what_and_that_no_install_begins() {
    let breach = Breach { by: NodeUid(2), subject: "redis:4".to_owned(), saw: "status is down".to_owned() };
    let event = Event::Breached { seen_at: at(9), breaches: vec![breach] };
    let text = said(event.clone());
    assert_eq!(
        text,
        "redis:4: status is down (seen by node:2): no install begins until the cluster has passed a gate again"
    );
    let run = run(vec![event]);
    assert!(shown(&run).doing.contains("redis:4: status is down"), "{}", shown(&run).doing);
}

#[test]
fn a_setting_that_is_changed_is_listed_with_what_puts_it_back() {
    assert_eq!(
        said(recorded(600)),
        "slave_ha_grace_period is 600; it will be 3600 until the end, then 600 again"
    );
    let document = shown(&run(vec![recorded(600)]));
    let row = &document.settings[0];
    assert_eq!(
        (row.setting.as_str(), row.original, row.wanted, row.open),
        ("slave_ha_grace_period", 600, 3600, true)
    );
    assert_eq!(row.command, "rladmin tune cluster slave_ha_grace_period 600");
}

#[test]
fn a_setting_that_will_do_is_nothing_to_put_back() {
    let setting = Setting::ReplicaHaGracePeriod;
    let event = Event::SettingRecorded { setting, original: 7200, wanted: 7200 };
    assert_eq!(said(event.clone()), "slave_ha_grace_period is 7200, which will do");
    assert!(!shown(&run(vec![event])).settings[0].open);
    assert_eq!(said(Event::SettingRestored { setting }), "slave_ha_grace_period is as it was before");
}

#[test]
fn a_contradiction_shows_both_stories() {
    let failure = Failure::operator("contradiction", "the journal and node:1 tell different stories", "look")
        .because("the journal says: A; the node says: B");
    let halt = Halt { node: Some(NodeUid(1)), step: Some(StepKind::Install), failure };
    let document = shown(&run(vec![Event::Halted(Box::new(halt))]));
    assert_eq!(document.state, RunState::Halted);
    let cause = document.halt.unwrap().error.cause.unwrap();
    assert!(cause.contains("the journal says: A") && cause.contains("the node says: B"), "{cause}");
    assert!(document.doing.contains("the journal says: A"), "{}", document.doing);
}

#[test]
fn a_halt_over_a_foreign_claim_names_the_take_over() {
    for (id, named) in [("claimed-by-other", true), ("stale-epoch", true), ("gate-shut", false)] {
        let failure = Failure::operator(id, "held by bob", "wait for bob");
        let halt = Halt { node: Some(NodeUid(1)), step: None, failure };
        let document = shown(&run(vec![Event::Halted(Box::new(halt))]));
        let remedy = document.halt.unwrap().error.remedy.unwrap();
        assert!(remedy.starts_with("wait for bob"), "{remedy}");
        assert_eq!(remedy.contains("ratchet takeover orders"), named, "{remedy}");
    }
}

#[test]
fn a_step_that_changes_a_setting_is_told_as_such() {
    let step: StepId = "r1.h0.n1.tune.a1".parse().unwrap();
    let spec = StepSpec::Tune { setting: Setting::ReplicaHaGracePeriod, value: 3600 };
    let report = proto::StepReport::Tune { now: 3600 };
    let outcome = StepOutcome::Completed { report, warnings: Vec::new() };
    assert_eq!(
        said(Event::StepIntended { step: step.clone(), node: NodeUid(1), hop: 0, spec }),
        "tune begins"
    );
    let ended = Event::StepEnded { step, outcome: Box::new(outcome) };
    assert_eq!(said(ended), "the setting is 3600 now, read back from the cluster");
}

/// The turn of the only node, to an install that ended like this.
fn installed(outcome: StepOutcome) -> Run {
    let step = |kind, number| StepId::of(&id(), 0, NodeUid(1), kind, number);
    let passed = Event::GatePassed {
        hop: 0,
        node: NodeUid(1),
        from: "7.4.2-54".parse().unwrap(),
        role: proto::NodeRole::Master,
        master: NodeUid(1),
        observed_at: at(4),
    };
    let intended =
        |step: &StepId, spec| Event::StepIntended { step: step.clone(), node: NodeUid(1), hop: 0, spec };
    let ended = |step: StepId, outcome| Event::StepEnded { step, outcome: Box::new(outcome) };
    let check = step(StepKind::Check, 2);
    let rlcheck = proto::Rlcheck { passed: true, tests: Vec::new(), failures: Vec::new() };
    let checked = proto::Checked { rlcheck, view: proto::sample::healthy_view(1) };
    let good = StepOutcome::Completed { report: proto::StepReport::Check(checked), warnings: Vec::new() };
    let install = step(StepKind::Install, 1);
    let spec = proto::InstallSpec {
        unpacked_by: step(StepKind::Unpack, 1),
        package: proto::Sha256::of(b"package"),
        target: "7.8.2-34".parse().unwrap(),
        expected_installed: "7.4.2-54".parse().unwrap(),
        expected_role: None,
        args: Vec::new(),
        deadline: None,
    };
    let failure = Failure::operator("fate", "it failed", "look");
    let halt = Halt { node: Some(NodeUid(1)), step: Some(StepKind::Install), failure };
    run(vec![
        recorded(3600),
        passed,
        intended(&check, StepSpec::Check),
        ended(check.clone(), good),
        intended(&install, StepSpec::Install(spec)),
        ended(install.clone(), outcome),
        Event::Halted(Box::new(halt)),
    ])
}

#[test]
fn after_an_install_that_ended_badly_going_on_and_trying_again_are_offered() {
    let failure = Failure::operator("disk-full", "there is no room", "make room");
    let refused = installed(StepOutcome::Failed(failure));
    assert_eq!(shown(&refused).next_commands, ["ratchet resume r1", "ratchet retry r1", "ratchet abort r1"]);
    let cut_off = installed(StepOutcome::Interrupted("a reboot".to_owned()));
    assert_eq!(shown(&cut_off).next_commands, ["ratchet resume r1", "ratchet retry r1", "ratchet abort r1"]);
}

/// What is offered after a halt is what the machine allows.
#[test]
fn every_command_that_is_offered_after_a_halt_is_legal() {
    let failure = Failure::operator("disk-full", "there is no room", "make room");
    for run in [
        installed(StepOutcome::Failed(failure)),
        installed(StepOutcome::Interrupted("a reboot".to_owned())),
        installed(StepOutcome::Cancelled),
    ] {
        let offered = shown(&run).next_commands;
        assert_eq!(offered.len(), 3);
        for command in offered {
            let request = match command.split(' ').nth(1).unwrap() {
                "resume" => Request::Resume,
                "retry" => Request::Retry { node: None },
                "abort" => Request::Abort,
                _ => continue,
            };
            let event = Event::Requested { request, by: "alice".to_owned() };
            let record = Record { seq: 99, epoch: proto::Epoch(1), at: at(50), event };
            next(run.clone(), &record).unwrap_or_else(|illegal| panic!("{command}: {illegal}"));
        }
    }
}
