//! News of rollouts.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use proto::{ClusterName, Epoch, Failure, RolloutName};

use crate::notify::{ClusterStands, Kind, Notice, Standing, news_of_rollout};
use crate::rollout::{Event, HaltWhy, Outcome, Record, RolloutEnd, Selector, Siblings, Spec, Wave, Windows};

fn name() -> RolloutName {
    "night".parse().unwrap()
}

fn cluster(name: &str) -> ClusterName {
    name.parse().unwrap()
}

fn at(minutes: u64) -> Timestamp {
    format!("2026-06-01T22:{minutes:02}:00Z").parse().unwrap()
}

pub(super) fn applied() -> Event {
    let wave = |name: &str| Wave {
        name: name.to_owned(),
        clusters: vec![Selector::Glob("*".to_owned())],
        at_once: 1,
        failure_budget: 0,
        soak: Duration::from_secs(60),
        approval: name == "rest",
    };
    let spec = Spec {
        name: name(),
        target: "7.8.2-34".parse().unwrap(),
        waves: vec![wave("canary"), wave("rest")],
        at_once: 1,
        failure_budget: 0,
        on_failure: Siblings::FinishTurn,
        windows: Windows::default(),
        turn_estimate: Duration::from_secs(600),
        partners: Some(vec![BTreeSet::new()]),
        accept: Vec::new(),
    };
    let waves = vec![vec![cluster("a")], vec![cluster("b"), cluster("c")]];
    Event::Applied { spec: Box::new(spec), waves, by: "alice".to_owned() }
}

fn records(events: Vec<Event>) -> Vec<Record> {
    let all = std::iter::once(applied()).chain(events);
    all.zip(1..).map(|(event, seq)| Record { seq, epoch: Epoch(1), at: at(seq), event }).collect()
}

fn news(events: Vec<Event>) -> Vec<Notice> {
    news_of_rollout(&name(), &records(events), 0)
}

fn settled(name: &str, outcome: Outcome) -> Event {
    Event::Settled { cluster: cluster(name), run: None, outcome }
}

fn failed() -> Outcome {
    Outcome::Failed(Failure::operator("gate-shut", "the gate stayed shut", "repair it"))
}

#[test]
fn a_window_is_missed_only_if_something_had_begun_and_is_not_finished() {
    let closed = || Event::WindowClosed { opens_at: Some(at(59)) };
    assert_eq!(news(vec![closed()]), [], "the file was applied while the window was closed");
    let begun = || vec![Event::WaveBegun { wave: 0 }, settled("a", Outcome::Upgraded)];
    let missed = news([begun(), vec![closed()]].concat());
    assert_eq!((missed.len(), missed[0].kind, missed[0].exit), (1, Kind::WindowMissed, None));
    assert!(missed[0].text.contains("1 of 3 clusters are at 7.8.2-34, 0 failed, 2 unfinished"), "{missed:?}");
    assert!(missed[0].text.contains("2026-06-01T22:59:00Z"), "{missed:?}");
    let all = [settled("b", Outcome::Upgraded), settled("c", failed())];
    assert_eq!(news([begun(), all.into(), vec![closed()]].concat()), []);
}

#[test]
fn a_spent_budget_names_the_cluster_the_wave_and_the_way_on() {
    let Outcome::Failed(failure) = failed() else { unreachable!() };
    let why = HaltWhy::BudgetSpent { cluster: cluster("b"), wave: Some(1), failure };
    let all = news(vec![settled("b", failed()), Event::Halted(Box::new(why))]);
    let [halted] = &all[..] else { panic!("{all:?}") };
    assert_eq!((halted.kind, halted.id.as_str()), (Kind::Halted, "rollout:night#3"));
    assert!(
        halted.text.contains("the failure of b went over the failure budget of wave `rest`"),
        "{halted:?}"
    );
    assert_eq!(halted.commands[0], "ratchet why b");
    assert_eq!(
        halted.commands[2..],
        ["ratchet rollout retry night b", "ratchet rollout resume night"],
        "it can be resumed only when no budget is overspent any more"
    );
}

#[test]
fn an_approval_is_asked_for_by_the_waves_name() {
    let all = news(vec![Event::ApprovalWanted { wave: 1 }]);
    assert_eq!(
        (all[0].kind, all[0].commands[0].as_str()),
        (Kind::ApprovalWanted, "ratchet rollout approve night --wave rest")
    );
}

#[test]
fn each_end_has_its_kind_and_exit() {
    for (end, kind, exit) in [
        (RolloutEnd::Done, Kind::Done, 0),
        (RolloutEnd::DoneWithFailures, Kind::DoneWithFailures, 4),
        (RolloutEnd::Aborted, Kind::Aborted, 4),
    ] {
        let all = news(vec![Event::Ended(end)]);
        assert_eq!((all.len(), all[0].kind, all[0].exit), (1, kind, Some(exit)));
    }
}

#[test]
fn a_standing_is_counted_anew_when_the_file_changes() {
    let mut all = records(vec![settled("a", Outcome::Upgraded), Event::Ended(RolloutEnd::Done)]);
    all.push(Record { seq: 4, epoch: Epoch(2), at: at(4), event: applied() });
    let standing = Standing::of(&all);
    assert_eq!(
        (standing.ended, standing.count(ClusterStands::Upgraded), standing.unfinished()),
        (None, 1, 2)
    );
}
