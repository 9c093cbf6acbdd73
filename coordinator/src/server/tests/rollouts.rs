//! Rollouts carried out on a fleet of canned agents, under a stopped clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::fleet::{Fleet, span, turns};
use crate::documents::{RolloutClusterState, RolloutState, WaveState};
use crate::rollout::{Event, Request};
use crate::run::Event as RunEvent;
use crate::server::rollouts::Asked;
use crate::store::{Shelf, Store};

pub(super) const WAVES: &str = "at_once = 2\n[[wave]]\nname = \"canary\"\nclusters = [\"b\"]\n\
                     [[wave]]\nname = \"rest\"\nclusters = [\"a\", \"c\"]\nat_once = 2\n";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_canary_goes_first_and_what_nobody_names_is_never_touched() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c", "other"]);
    let life = fleet.life().await;
    // It is watched before the others begin.
    life.apply(&WAVES.replace("clusters = [\"b\"]", "clusters = [\"b\"]\nsoak = \"30s\"")).await;
    let document = life.until(|document| document.waves[0].state == WaveState::Soaking).await;
    assert_eq!(life.core.why("q4").await.unwrap().verdict, "waiting", "{document:#?}");
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::Done, "{document:#?}");
    assert_eq!(document.brief.exit_code, 0);
    assert!(document.clusters.iter().all(|row| row.state == RolloutClusterState::Upgraded), "{document:#?}");
    let runs = life.runs().await;
    let spans: BTreeMap<String, _> =
        runs.iter().map(|(cluster, _, records)| (cluster.to_string(), span(records))).collect();
    assert_eq!(spans.len(), 3);
    assert!(spans["b"].1 < spans["a"].0 && spans["b"].1 < spans["c"].0, "{spans:?}");
    assert!(fleet.agents("other").iter().all(|agent| agent.orders() == 0), "nobody named it");
    assert!(fleet.agents("other").iter().all(|agent| agent.with(|state| state.highest.0 == 0)));
}

#[tokio::test(start_paused = true)]
async fn the_same_file_again_is_the_same_rollout() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    let life = fleet.life().await;
    life.apply(WAVES).await;
    life.apply(WAVES).await;
    life.to_rest().await;
    let written = life.journal().await.len();
    let document = life.apply(WAVES).await;
    assert_eq!(document.brief.state, RolloutState::Done);
    let journal = life.journal().await;
    assert_eq!(journal.len(), written, "nothing is appended");
    assert_eq!(journal.iter().filter(|record| matches!(record.event, Event::Applied { .. })).count(), 1);
    assert_eq!(life.runs().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_over_the_budget_halts_and_a_retry_goes_on() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.works("b", false);
    let life = fleet.life().await;
    life.apply(WAVES).await;
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::Halted, "{document:#?}");
    assert_eq!((document.brief.failed, document.brief.exit_code), (1, 4));
    assert!(!document.brief.commands.is_empty(), "no state is a dead end");
    assert_eq!(life.started().await, ["b"], "nothing is started after it");
    fleet.works("b", true);
    life.ask("retry").await;
    life.ask("resume").await;
    let document = life.until(|document| document.brief.state == RolloutState::Done).await;
    assert_eq!(document.brief.upgraded, 3);
}

#[tokio::test(start_paused = true)]
async fn where_siblings_halt_their_agents_are_told_to_refuse_and_told_again_when_it_goes_on() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "c"]);
    fleet.steps_take(Duration::from_secs(20));
    fleet.works("a", false);
    fleet.agents("a").iter().for_each(|agent| agent.with(|state| state.steps_take = Duration::ZERO));
    let life = fleet.life().await;
    life.apply(
        "at_once = 2\non_failure = \"halt\"\n[[wave]]\nname = \"all\"\nclusters = [\"*\"]\nat_once = 2\n",
    )
    .await;
    life.until(|document| document.brief.state == RolloutState::Halted).await;
    let held = |cluster: &str| {
        let sources = |agent: &super::agent::FakeAgent| {
            agent.with(|state| {
                super::agent::in_force(state).into_iter().map(|halt| halt.source).collect::<Vec<_>>()
            })
        };
        fleet.agents(cluster).iter().all(|agent| sources(agent) == ["q4"])
    };
    life.until(|_| held("c")).await;
    assert!(!held("a"), "what has failed is not in flight");
    fleet.works("a", true);
    life.ask("retry").await;
    life.ask("resume").await;
    let document = life.until(|document| document.brief.state == RolloutState::Done).await;
    assert_eq!(document.brief.upgraded, 2);
    assert!(!held("c"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_within_the_budget_does_not_stop_the_others() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.works("b", false);
    let life = fleet.life().await;
    let waves = WAVES.replace(
        "at_once = 2\n[[wave]]\nname = \"canary\"",
        "failure_budget = 1\n[[wave]]\nname = \"canary\"\nfailure_budget = 1",
    );
    life.apply(&waves).await;
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::DoneWithFailures, "{document:#?}");
    assert_eq!((document.brief.upgraded, document.brief.failed), (2, 1));
    assert_eq!(document.brief.exit_code, 4);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_closes_in_the_middle_pauses_between_turns_and_goes_on_when_it_opens() {
    let fleet = Fleet::new("2026-06-01T21:59:50Z", &["a"]);
    // Check, install and confirm take half a minute together.
    fleet.steps_take(Duration::from_secs(10));
    let life = fleet.life().await;
    let window =
        |from: &str, until: &str| format!("[[windows.open]]\nfrom = \"{from}\"\nuntil = \"{until}\"\n");
    let windows = [("22:00:00", "22:01:12"), ("22:02:00", "22:03:12"), ("22:04:00", "22:05:12")];
    life.apply(&format!(
        "turn_estimate = \"36s\"\n[windows]\nzone = \"Etc/UTC\"\n{}[[wave]]\nname = \"all\"\nclusters = [\"a\"]\n",
        windows.map(|(from, until)| window(from, until)).concat()
    ))
    .await;
    let document = life.until(|document| document.brief.in_flight == 1).await;
    assert_eq!(document.brief.state, RolloutState::Active);
    assert!(fleet.now() >= at("2026-06-01T22:00:00Z"), "nothing begins before the window opens");
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::Done, "{document:#?}");
    let runs = life.runs().await;
    assert_eq!(runs.len(), 1);
    let (_, _, records) = &runs[0];
    let paused = records.iter().filter(|record| matches!(record.event, RunEvent::NotAdmitted { .. })).count();
    assert!(paused >= 1, "{records:#?}");
    let turns = turns(records);
    assert_eq!(turns.len(), 3);
    let moment = |text: &str| at(&format!("2026-06-01T{text}Z"));
    for (began, ended) in turns {
        let inside = windows.iter().any(|(from, until)| began >= moment(from) && ended <= moment(until));
        assert!(inside, "{began} – {ended}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wave_waits_for_approval_and_may_be_approved_twice() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    let life = fleet.life().await;
    let waves = format!("{WAVES}approval = true\n");
    life.apply(&waves).await;
    let document = life.until(|document| document.waves[1].state == WaveState::WantsApproval).await;
    assert!(document.brief.commands.iter().any(|command| command.contains("approve")), "{document:#?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(life.started().await, ["b"]);
    life.ask("approve").await;
    let wave = Asked { what: "approve".to_owned(), wave: Some("rest".to_owned()), cluster: None };
    life.core.ask_rollout("q4", &wave, "ann").await.unwrap();
    assert_eq!(life.to_rest().await.brief.state, RolloutState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_pause_lets_turns_end_and_an_abort_ends_it() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.steps_take(Duration::from_secs(10));
    let life = fleet.life().await;
    life.apply(WAVES).await;
    life.until(|document| document.clusters.iter().any(|row| row.run_state.as_deref() == Some("running")))
        .await;
    life.ask("pause").await;
    let document = life.until(|document| document.brief.state == RolloutState::Paused).await;
    assert_eq!(document.brief.exit_code, 5);
    life.until(|document| document.clusters.iter().any(|row| row.run_state.as_deref() == Some("paused")))
        .await;
    assert_eq!(life.started().await, ["b"]);
    life.ask("resume").await;
    life.until(|document| document.clusters.iter().any(|row| row.run_state.as_deref() == Some("running")))
        .await;
    life.ask("abort").await;
    let document = life.until(|document| document.brief.state == RolloutState::Aborted).await;
    assert_eq!(document.brief.exit_code, 4);
    assert_eq!(life.started().await, ["b"]);
    life.ask("abort").await;
}

/// A rollout of one cluster, whose run is planned, and waits for its turn to be created.
async fn about_to_create(life: &super::fleet::Life) -> tokio::sync::MutexGuard<'_, ()> {
    let creating = life.core.rollouts.creating().await;
    life.apply("[[wave]]\nname = \"all\"\nclusters = [\"a\"]\n").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((life.started().await.len(), life.runs().await.len()), (1, 0));
    creating
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_being_created_when_it_is_aborted_is_aborted_too() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a"]);
    let life = fleet.life().await;
    let creating = about_to_create(&life).await;
    life.ask("abort").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(life.show().await.brief.state, RolloutState::Active, "nobody knows yet what becomes of it");
    drop(creating);
    life.until(|document| document.brief.state == RolloutState::Aborted).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (_, _, records) = &life.runs().await[0];
    let end = records.last().map(|record| &record.event);
    assert!(matches!(end, Some(RunEvent::Ended(crate::run::RunEnd::Aborted))), "{records:#?}");
    assert!(turns(records).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_being_created_when_it_is_paused_is_paused_too() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a"]);
    let life = fleet.life().await;
    let creating = about_to_create(&life).await;
    life.ask("pause").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    drop(creating);
    life.until(|document| document.brief.state == RolloutState::Paused).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let document = life.show().await;
    assert_eq!(document.clusters[0].run_state.as_deref(), Some("paused"), "{document:#?}");
    life.ask("resume").await;
    life.until(|document| document.brief.state == RolloutState::Done).await;
}

/// It could not be honoured, and its author knows that: whoever leads next must not honour it either.
#[tokio::test(start_paused = true)]
async fn a_request_that_was_refused_never_takes_effect() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.steps_take(Duration::from_secs(10));
    let life = fleet.life().await;
    let waves = format!("{WAVES}approval = true\n");
    life.apply(&waves).await;
    life.until(|document| document.brief.in_flight == 1).await;
    let (name, early) = ("q4".parse().unwrap(), Request::Approve { wave: 1 });
    life.store.ask_rollout(&name, &early, "ann", fleet.now()).await.unwrap();
    life.until(|document| document.waves[1].state == WaveState::WantsApproval).await;
    life.kill();
    let life = fleet.life().await;
    life.apply(&waves).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(life.started().await, ["b"]);
    let journal = life.journal().await;
    assert!(journal.iter().any(|record| record.event.kind() == "refused"), "{journal:#?}");
    life.ask("approve").await;
    assert_eq!(life.to_rest().await.brief.state, RolloutState::Done);
}

#[tokio::test(start_paused = true)]
async fn the_halt_of_the_fleet_stops_runs_of_rollouts_between_turns() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.steps_take(Duration::from_secs(10));
    let life = fleet.life().await;
    life.apply(WAVES).await;
    life.until(|document| document.brief.in_flight == 1).await;
    let halt = r#"{"number":1,"halt":{"by":"carol","why":"the power fails","at":"2026-06-01T12:00:00Z"}}"#;
    life.store.put(Shelf::Halt, "fleet", halt).await.unwrap();
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::Halted);
    assert!(document.halt.unwrap().why.contains("carol"));
    life.store.put(Shelf::Halt, "fleet", r#"{"number":2,"halt":null}"#).await.unwrap();
    life.ask("resume").await;
    let document = life.until(|document| document.brief.state == RolloutState::Done).await;
    assert_eq!(document.brief.upgraded, 3);
}

/// Whoever takes up a run while the fleet is halted pauses it in the halt's name, so that the rollout goes on with it
/// once the halt was lifted.
#[tokio::test(start_paused = true)]
async fn a_run_taken_up_while_the_fleet_is_halted_is_resumed_by_its_rollout() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.steps_take(Duration::from_secs(10));
    let life = fleet.life().await;
    life.apply(WAVES).await;
    life.until(|document| document.clusters.iter().any(|row| row.run_state.as_deref() == Some("running")))
        .await;
    life.kill();
    let life = fleet.life().await;
    life.core.halt_fleet("the power fails", "alice@ops1").await.unwrap();
    life.core.go_on_with_interrupted().await;
    let paused = |records: &[crate::run::Record]| matches!(records.last().unwrap().event, RunEvent::Paused);
    while !paused(&life.runs().await[0].2) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    life.apply(WAVES).await;
    assert_eq!(life.to_rest().await.brief.state, RolloutState::Halted);
    life.core.lift_halt("alice@ops1").await.unwrap();
    life.ask("resume").await;
    let document = life.until(|document| document.brief.state == RolloutState::Done).await;
    assert_eq!(document.brief.upgraded, 3);
}

/// Killed right after each event of the rollout's journal: the same end, and no cluster gets a second run.
#[tokio::test(start_paused = true)]
async fn killed_after_every_event_it_ends_the_same() {
    for events in 1..40 {
        let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c", "other"]);
        fleet.steps_take(Duration::from_secs(1));
        let life = fleet.life().await;
        life.apply(WAVES).await;
        life.until_written(events).await;
        let last = life.journal().await.len() < events;
        life.kill();
        let life = fleet.life().await;
        life.apply(WAVES).await;
        let document = life.to_rest().await;
        assert_eq!(document.brief.state, RolloutState::Done, "killed after {events}: {document:#?}");
        let runs = life.runs().await;
        let clusters: BTreeSet<String> = runs.iter().map(|(cluster, ..)| cluster.to_string()).collect();
        assert_eq!((runs.len(), clusters.len()), (3, 3), "killed after {events}");
        for (cluster, _, records) in &runs {
            let installs = records.iter().filter(|record| {
                matches!(&record.event, RunEvent::StepIntended { spec: proto::StepSpec::Install(_), .. })
            });
            assert_eq!(installs.count(), 3, "{cluster}, killed after {events}");
        }
        if last {
            return;
        }
    }
    panic!("it has more events than that");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_carries_nothing_out() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    let (first, second) = (fleet.life().await, fleet.life().await);
    first.apply(WAVES).await;
    let text = format!("name = \"other\"\ntarget = \"7.8.2-34\"\n{WAVES}");
    let failure = second.core.apply_rollout(&text, "ann").await.unwrap_err();
    assert_eq!(failure.id, "led-elsewhere", "{failure}");
    assert_eq!(second.show().await.brief.name, "q4", "everybody may look");
    second.ask("pause").await;
    assert_eq!(second.to_rest().await.brief.state, RolloutState::Paused, "everybody may ask");
}

#[tokio::test(start_paused = true)]
async fn a_check_changes_nothing_and_tells_the_calendar() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c", "other"]);
    let life = fleet.life().await;
    let text = format!("name = \"q4\"\ntarget = \"7.8.2-34\"\n{WAVES}");
    let document = life.core.check_rollout(&text).await.unwrap();
    assert_eq!(document.unselected, ["other"]);
    assert_eq!(document.waves.len(), 2);
    let begins = |wave: usize, cluster: usize| document.waves[wave].clusters[cluster].begins.unwrap();
    assert!(begins(0, 0) < begins(1, 0));
    assert!(document.ends.is_some());
    assert!(!document.exists && document.findings.is_empty(), "{document:#?}");
    assert!(life.store.rollouts().await.unwrap().is_empty() && life.runs().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_last_counts_though_nobody_led_when_it_was_asked() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c", "other"]);
    fleet.steps_take(Duration::from_secs(1));
    let life = fleet.life().await;
    life.apply(WAVES).await;
    life.until_written(3).await;
    life.kill();
    let life = fleet.life().await;
    life.ask("pause").await;
    life.ask("resume").await;
    life.apply(WAVES).await;
    assert_eq!(life.to_rest().await.brief.state, RolloutState::Done);
}
